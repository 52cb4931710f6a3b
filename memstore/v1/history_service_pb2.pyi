from memstore.v1 import common_pb2 as _common_pb2
from memstore.v1 import edited_pb2 as _edited_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Commit(_message.Message):
    __slots__ = ("commit", "parents", "operation", "message", "author", "time_s", "request_id", "frame_count", "step", "takes_back")
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TIME_S_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TAKES_BACK_FIELD_NUMBER: _ClassVar[int]
    commit: str
    parents: _containers.RepeatedScalarFieldContainer[str]
    operation: str
    message: str
    author: str
    time_s: float
    request_id: str
    frame_count: int
    step: str
    takes_back: str
    def __init__(self, commit: _Optional[str] = ..., parents: _Optional[_Iterable[str]] = ..., operation: _Optional[str] = ..., message: _Optional[str] = ..., author: _Optional[str] = ..., time_s: _Optional[float] = ..., request_id: _Optional[str] = ..., frame_count: _Optional[int] = ..., step: _Optional[str] = ..., takes_back: _Optional[str] = ...) -> None: ...

class ListCommitsRequest(_message.Message):
    __slots__ = ("world", "commit", "page_size", "page_token")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    world: str
    commit: str
    page_size: int
    page_token: str
    def __init__(self, world: _Optional[str] = ..., commit: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCommitsResponse(_message.Message):
    __slots__ = ("commits", "next_page_token")
    COMMITS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    commits: _containers.RepeatedCompositeFieldContainer[Commit]
    next_page_token: str
    def __init__(self, commits: _Optional[_Iterable[_Union[Commit, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetCommitRequest(_message.Message):
    __slots__ = ("world", "revision")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    world: str
    revision: str
    def __init__(self, world: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class GetCommitResponse(_message.Message):
    __slots__ = ("commit",)
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    commit: Commit
    def __init__(self, commit: _Optional[_Union[Commit, _Mapping]] = ...) -> None: ...

class RevertRequest(_message.Message):
    __slots__ = ("world", "revision", "author", "message", "request_id")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    world: str
    revision: str
    author: str
    message: str
    request_id: str
    def __init__(self, world: _Optional[str] = ..., revision: _Optional[str] = ..., author: _Optional[str] = ..., message: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RevertResponse(_message.Message):
    __slots__ = ("commit",)
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    commit: Commit
    def __init__(self, commit: _Optional[_Union[Commit, _Mapping]] = ...) -> None: ...

class Branch(_message.Message):
    __slots__ = ("name", "commit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    commit: str
    def __init__(self, name: _Optional[str] = ..., commit: _Optional[str] = ...) -> None: ...

class Tag(_message.Message):
    __slots__ = ("name", "commit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    commit: str
    def __init__(self, name: _Optional[str] = ..., commit: _Optional[str] = ...) -> None: ...

class CreateBranchRequest(_message.Message):
    __slots__ = ("world", "branch_id", "revision", "request_id")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    BRANCH_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    world: str
    branch_id: str
    revision: str
    request_id: str
    def __init__(self, world: _Optional[str] = ..., branch_id: _Optional[str] = ..., revision: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateBranchResponse(_message.Message):
    __slots__ = ("branch",)
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    branch: Branch
    def __init__(self, branch: _Optional[_Union[Branch, _Mapping]] = ...) -> None: ...

class ListBranchesRequest(_message.Message):
    __slots__ = ("world", "page_size", "page_token")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    world: str
    page_size: int
    page_token: str
    def __init__(self, world: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBranchesResponse(_message.Message):
    __slots__ = ("branches", "next_page_token")
    BRANCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    branches: _containers.RepeatedCompositeFieldContainer[Branch]
    next_page_token: str
    def __init__(self, branches: _Optional[_Iterable[_Union[Branch, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteBranchRequest(_message.Message):
    __slots__ = ("world", "branch_id", "request_id")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    BRANCH_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    world: str
    branch_id: str
    request_id: str
    def __init__(self, world: _Optional[str] = ..., branch_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteBranchResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateTagRequest(_message.Message):
    __slots__ = ("world", "tag_id", "revision", "request_id")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    TAG_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    world: str
    tag_id: str
    revision: str
    request_id: str
    def __init__(self, world: _Optional[str] = ..., tag_id: _Optional[str] = ..., revision: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateTagResponse(_message.Message):
    __slots__ = ("tag",)
    TAG_FIELD_NUMBER: _ClassVar[int]
    tag: Tag
    def __init__(self, tag: _Optional[_Union[Tag, _Mapping]] = ...) -> None: ...

class ListTagsRequest(_message.Message):
    __slots__ = ("world", "page_size", "page_token")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    world: str
    page_size: int
    page_token: str
    def __init__(self, world: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTagsResponse(_message.Message):
    __slots__ = ("tags", "next_page_token")
    TAGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedCompositeFieldContainer[Tag]
    next_page_token: str
    def __init__(self, tags: _Optional[_Iterable[_Union[Tag, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteTagRequest(_message.Message):
    __slots__ = ("world", "tag_id", "request_id")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    TAG_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    world: str
    tag_id: str
    request_id: str
    def __init__(self, world: _Optional[str] = ..., tag_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteTagResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DiffCommitsRequest(_message.Message):
    __slots__ = ("world", "before", "after", "camera", "patches")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    PATCHES_FIELD_NUMBER: _ClassVar[int]
    world: str
    before: str
    after: str
    camera: _common_pb2.Camera
    patches: bool
    def __init__(self, world: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ..., camera: _Optional[_Union[_common_pb2.Camera, _Mapping]] = ..., patches: bool = ...) -> None: ...

class DiffCommitsResponse(_message.Message):
    __slots__ = ("diff", "rest")
    DIFF_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    diff: Diff
    rest: bytes
    def __init__(self, diff: _Optional[_Union[Diff, _Mapping]] = ..., rest: _Optional[bytes] = ...) -> None: ...

class Diff(_message.Message):
    __slots__ = ("before", "after", "layers", "camera", "picture_before", "picture_after")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    PICTURE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    PICTURE_AFTER_FIELD_NUMBER: _ClassVar[int]
    before: str
    after: str
    layers: _containers.RepeatedCompositeFieldContainer[LayerDiff]
    camera: _common_pb2.Camera
    picture_before: _common_pb2.Array
    picture_after: _common_pb2.Array
    def __init__(self, before: _Optional[str] = ..., after: _Optional[str] = ..., layers: _Optional[_Iterable[_Union[LayerDiff, _Mapping]]] = ..., camera: _Optional[_Union[_common_pb2.Camera, _Mapping]] = ..., picture_before: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., picture_after: _Optional[_Union[_common_pb2.Array, _Mapping]] = ...) -> None: ...

class LayerDiff(_message.Message):
    __slots__ = ("layer_id", "name", "kind", "change", "shown_count", "hidden_count", "moved", "renamed", "visible", "shown", "hidden")
    class Moved(_message.Message):
        __slots__ = ("before", "after")
        BEFORE_FIELD_NUMBER: _ClassVar[int]
        AFTER_FIELD_NUMBER: _ClassVar[int]
        before: _common_pb2.Transform
        after: _common_pb2.Transform
        def __init__(self, before: _Optional[_Union[_common_pb2.Transform, _Mapping]] = ..., after: _Optional[_Union[_common_pb2.Transform, _Mapping]] = ...) -> None: ...
    class Renamed(_message.Message):
        __slots__ = ("before", "after")
        BEFORE_FIELD_NUMBER: _ClassVar[int]
        AFTER_FIELD_NUMBER: _ClassVar[int]
        before: str
        after: str
        def __init__(self, before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...
    class Visible(_message.Message):
        __slots__ = ("before", "after")
        BEFORE_FIELD_NUMBER: _ClassVar[int]
        AFTER_FIELD_NUMBER: _ClassVar[int]
        before: bool
        after: bool
        def __init__(self, before: bool = ..., after: bool = ...) -> None: ...
    LAYER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    SHOWN_COUNT_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    RENAMED_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    layer_id: str
    name: str
    kind: str
    change: str
    shown_count: int
    hidden_count: int
    moved: LayerDiff.Moved
    renamed: LayerDiff.Renamed
    visible: LayerDiff.Visible
    shown: _common_pb2.Array
    hidden: _common_pb2.Array
    def __init__(self, layer_id: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[str] = ..., change: _Optional[str] = ..., shown_count: _Optional[int] = ..., hidden_count: _Optional[int] = ..., moved: _Optional[_Union[LayerDiff.Moved, _Mapping]] = ..., renamed: _Optional[_Union[LayerDiff.Renamed, _Mapping]] = ..., visible: _Optional[_Union[LayerDiff.Visible, _Mapping]] = ..., shown: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., hidden: _Optional[_Union[_common_pb2.Array, _Mapping]] = ...) -> None: ...

class BlamePatchRequest(_message.Message):
    __slots__ = ("world", "commit", "camera", "u", "v")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    U_FIELD_NUMBER: _ClassVar[int]
    V_FIELD_NUMBER: _ClassVar[int]
    world: str
    commit: str
    camera: _common_pb2.Camera
    u: float
    v: float
    def __init__(self, world: _Optional[str] = ..., commit: _Optional[str] = ..., camera: _Optional[_Union[_common_pb2.Camera, _Mapping]] = ..., u: _Optional[float] = ..., v: _Optional[float] = ...) -> None: ...

class BlamePatchResponse(_message.Message):
    __slots__ = ("blamed",)
    BLAMED_FIELD_NUMBER: _ClassVar[int]
    blamed: Blamed
    def __init__(self, blamed: _Optional[_Union[Blamed, _Mapping]] = ...) -> None: ...

class Blamed(_message.Message):
    __slots__ = ("patch_id", "layer_id", "layer", "ordinal", "observed_by", "placed_by")
    PATCH_ID_FIELD_NUMBER: _ClassVar[int]
    LAYER_ID_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    ORDINAL_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_BY_FIELD_NUMBER: _ClassVar[int]
    PLACED_BY_FIELD_NUMBER: _ClassVar[int]
    patch_id: int
    layer_id: str
    layer: str
    ordinal: int
    observed_by: Commit
    placed_by: Commit
    def __init__(self, patch_id: _Optional[int] = ..., layer_id: _Optional[str] = ..., layer: _Optional[str] = ..., ordinal: _Optional[int] = ..., observed_by: _Optional[_Union[Commit, _Mapping]] = ..., placed_by: _Optional[_Union[Commit, _Mapping]] = ...) -> None: ...

class MergeBranchRequest(_message.Message):
    __slots__ = ("world", "target", "policy", "validate_only", "author", "message", "request_id", "commit")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    world: str
    target: str
    policy: str
    validate_only: bool
    author: str
    message: str
    request_id: str
    commit: str
    def __init__(self, world: _Optional[str] = ..., target: _Optional[str] = ..., policy: _Optional[str] = ..., validate_only: bool = ..., author: _Optional[str] = ..., message: _Optional[str] = ..., request_id: _Optional[str] = ..., commit: _Optional[str] = ...) -> None: ...

class MergeBranchResponse(_message.Message):
    __slots__ = ("commit", "base", "ours", "theirs", "conflicts", "layers")
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    OURS_FIELD_NUMBER: _ClassVar[int]
    THEIRS_FIELD_NUMBER: _ClassVar[int]
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    commit: str
    base: str
    ours: str
    theirs: str
    conflicts: _containers.RepeatedCompositeFieldContainer[MergeConflict]
    layers: _containers.RepeatedCompositeFieldContainer[LayerDiff]
    def __init__(self, commit: _Optional[str] = ..., base: _Optional[str] = ..., ours: _Optional[str] = ..., theirs: _Optional[str] = ..., conflicts: _Optional[_Iterable[_Union[MergeConflict, _Mapping]]] = ..., layers: _Optional[_Iterable[_Union[LayerDiff, _Mapping]]] = ...) -> None: ...

class MergeConflict(_message.Message):
    __slots__ = ("kind", "layer_id", "layer", "message", "patch_count")
    KIND_FIELD_NUMBER: _ClassVar[int]
    LAYER_ID_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PATCH_COUNT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    layer_id: str
    layer: str
    message: str
    patch_count: int
    def __init__(self, kind: _Optional[str] = ..., layer_id: _Optional[str] = ..., layer: _Optional[str] = ..., message: _Optional[str] = ..., patch_count: _Optional[int] = ...) -> None: ...

class ResetBranchRequest(_message.Message):
    __slots__ = ("world", "revision", "expected_head", "request_id")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_HEAD_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    world: str
    revision: str
    expected_head: str
    request_id: str
    def __init__(self, world: _Optional[str] = ..., revision: _Optional[str] = ..., expected_head: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ResetBranchResponse(_message.Message):
    __slots__ = ("commit",)
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    commit: Commit
    def __init__(self, commit: _Optional[_Union[Commit, _Mapping]] = ...) -> None: ...

class ListDroppedHeadsRequest(_message.Message):
    __slots__ = ("world", "page_size", "page_token")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    world: str
    page_size: int
    page_token: str
    def __init__(self, world: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDroppedHeadsResponse(_message.Message):
    __slots__ = ("heads", "next_page_token")
    HEADS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    heads: _containers.RepeatedCompositeFieldContainer[DroppedHead]
    next_page_token: str
    def __init__(self, heads: _Optional[_Iterable[_Union[DroppedHead, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DroppedHead(_message.Message):
    __slots__ = ("branch", "commit", "time_s")
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    TIME_S_FIELD_NUMBER: _ClassVar[int]
    branch: str
    commit: str
    time_s: float
    def __init__(self, branch: _Optional[str] = ..., commit: _Optional[str] = ..., time_s: _Optional[float] = ...) -> None: ...

class FlattenBranchRequest(_message.Message):
    __slots__ = ("world", "author", "message", "request_id", "everything")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    world: str
    author: str
    message: str
    request_id: str
    everything: bool
    def __init__(self, world: _Optional[str] = ..., author: _Optional[str] = ..., message: _Optional[str] = ..., request_id: _Optional[str] = ..., everything: bool = ...) -> None: ...

class FlattenBranchResponse(_message.Message):
    __slots__ = ("progress", "report")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    report: _edited_pb2.EditReport
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ..., report: _Optional[_Union[_edited_pb2.EditReport, _Mapping]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("done", "total", "stage")
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    done: int
    total: int
    stage: str
    def __init__(self, done: _Optional[int] = ..., total: _Optional[int] = ..., stage: _Optional[str] = ...) -> None: ...
