from memstore.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class World(_message.Message):
    __slots__ = ("name", "world_id", "latents", "up", "branch", "head", "frame_count", "patch_count", "layer_count", "created_s", "deleted_s")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WORLD_ID_FIELD_NUMBER: _ClassVar[int]
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    PATCH_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAYER_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_S_FIELD_NUMBER: _ClassVar[int]
    DELETED_S_FIELD_NUMBER: _ClassVar[int]
    name: str
    world_id: str
    latents: _common_pb2.LatentSpec
    up: str
    branch: str
    head: str
    frame_count: int
    patch_count: int
    layer_count: int
    created_s: float
    deleted_s: float
    def __init__(self, name: _Optional[str] = ..., world_id: _Optional[str] = ..., latents: _Optional[_Union[_common_pb2.LatentSpec, _Mapping]] = ..., up: _Optional[str] = ..., branch: _Optional[str] = ..., head: _Optional[str] = ..., frame_count: _Optional[int] = ..., patch_count: _Optional[int] = ..., layer_count: _Optional[int] = ..., created_s: _Optional[float] = ..., deleted_s: _Optional[float] = ...) -> None: ...

class CreateWorldRequest(_message.Message):
    __slots__ = ("world_id", "latents", "up", "exist_ok", "request_id")
    WORLD_ID_FIELD_NUMBER: _ClassVar[int]
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    EXIST_OK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    world_id: str
    latents: _common_pb2.LatentSpec
    up: str
    exist_ok: bool
    request_id: str
    def __init__(self, world_id: _Optional[str] = ..., latents: _Optional[_Union[_common_pb2.LatentSpec, _Mapping]] = ..., up: _Optional[str] = ..., exist_ok: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateWorldResponse(_message.Message):
    __slots__ = ("world",)
    WORLD_FIELD_NUMBER: _ClassVar[int]
    world: World
    def __init__(self, world: _Optional[_Union[World, _Mapping]] = ...) -> None: ...

class GetWorldRequest(_message.Message):
    __slots__ = ("name", "commit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    commit: str
    def __init__(self, name: _Optional[str] = ..., commit: _Optional[str] = ...) -> None: ...

class GetWorldResponse(_message.Message):
    __slots__ = ("world",)
    WORLD_FIELD_NUMBER: _ClassVar[int]
    world: World
    def __init__(self, world: _Optional[_Union[World, _Mapping]] = ...) -> None: ...

class ListWorldsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "deleted")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    deleted: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., deleted: bool = ...) -> None: ...

class ListWorldsResponse(_message.Message):
    __slots__ = ("worlds", "next_page_token")
    WORLDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    worlds: _containers.RepeatedCompositeFieldContainer[World]
    next_page_token: str
    def __init__(self, worlds: _Optional[_Iterable[_Union[World, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteWorldRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteWorldResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UndeleteWorldRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class UndeleteWorldResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchHeadRequest(_message.Message):
    __slots__ = ("name", "resume_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    resume_token: str
    def __init__(self, name: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class WatchHeadResponse(_message.Message):
    __slots__ = ("moved", "heartbeat", "resume_token")
    MOVED_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    moved: HeadMoved
    heartbeat: Heartbeat
    resume_token: str
    def __init__(self, moved: _Optional[_Union[HeadMoved, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class HeadMoved(_message.Message):
    __slots__ = ("branch", "head", "previous")
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    branch: str
    head: str
    previous: str
    def __init__(self, branch: _Optional[str] = ..., head: _Optional[str] = ..., previous: _Optional[str] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("next_within_s",)
    NEXT_WITHIN_S_FIELD_NUMBER: _ClassVar[int]
    next_within_s: float
    def __init__(self, next_within_s: _Optional[float] = ...) -> None: ...
