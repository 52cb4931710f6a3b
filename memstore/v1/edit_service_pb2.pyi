from memstore.v1 import common_pb2 as _common_pb2
from memstore.v1 import edited_pb2 as _edited_pb2
from memstore.v1 import history_service_pb2 as _history_service_pb2
from memstore.v1 import operation_pb2 as _operation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ApplyEditsRequest(_message.Message):
    __slots__ = ("world", "operations", "message", "author", "request_id", "base", "expected_head", "max_affected", "validate_only", "camera")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_HEAD_FIELD_NUMBER: _ClassVar[int]
    MAX_AFFECTED_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    world: str
    operations: _containers.RepeatedCompositeFieldContainer[_operation_pb2.Operation]
    message: str
    author: str
    request_id: str
    base: str
    expected_head: str
    max_affected: int
    validate_only: bool
    camera: _common_pb2.Camera
    def __init__(self, world: _Optional[str] = ..., operations: _Optional[_Iterable[_Union[_operation_pb2.Operation, _Mapping]]] = ..., message: _Optional[str] = ..., author: _Optional[str] = ..., request_id: _Optional[str] = ..., base: _Optional[str] = ..., expected_head: _Optional[str] = ..., max_affected: _Optional[int] = ..., validate_only: bool = ..., camera: _Optional[_Union[_common_pb2.Camera, _Mapping]] = ...) -> None: ...

class ApplyEditsResponse(_message.Message):
    __slots__ = ("report", "rest")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    report: _edited_pb2.EditReport
    rest: bytes
    def __init__(self, report: _Optional[_Union[_edited_pb2.EditReport, _Mapping]] = ..., rest: _Optional[bytes] = ...) -> None: ...

class InspectSelectionRequest(_message.Message):
    __slots__ = ("world", "commit", "operations", "selection", "camera", "allow_empty")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    ALLOW_EMPTY_FIELD_NUMBER: _ClassVar[int]
    world: str
    commit: str
    operations: _containers.RepeatedCompositeFieldContainer[_operation_pb2.Operation]
    selection: _operation_pb2.Selection
    camera: _common_pb2.Camera
    allow_empty: bool
    def __init__(self, world: _Optional[str] = ..., commit: _Optional[str] = ..., operations: _Optional[_Iterable[_Union[_operation_pb2.Operation, _Mapping]]] = ..., selection: _Optional[_Union[_operation_pb2.Selection, _Mapping]] = ..., camera: _Optional[_Union[_common_pb2.Camera, _Mapping]] = ..., allow_empty: bool = ...) -> None: ...

class InspectSelectionResponse(_message.Message):
    __slots__ = ("report", "rest")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    report: _edited_pb2.SelectionReport
    rest: bytes
    def __init__(self, report: _Optional[_Union[_edited_pb2.SelectionReport, _Mapping]] = ..., rest: _Optional[bytes] = ...) -> None: ...

class PickPatchRequest(_message.Message):
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

class PickPatchResponse(_message.Message):
    __slots__ = ("picked",)
    PICKED_FIELD_NUMBER: _ClassVar[int]
    picked: _edited_pb2.Picked
    def __init__(self, picked: _Optional[_Union[_edited_pb2.Picked, _Mapping]] = ...) -> None: ...

class ListLayersRequest(_message.Message):
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

class ListLayersResponse(_message.Message):
    __slots__ = ("layers", "next_page_token")
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    layers: _containers.RepeatedCompositeFieldContainer[_edited_pb2.LayerSummary]
    next_page_token: str
    def __init__(self, layers: _Optional[_Iterable[_Union[_edited_pb2.LayerSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UndoRequest(_message.Message):
    __slots__ = ("world", "author", "anyone", "message", "request_id")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    ANYONE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    world: str
    author: str
    anyone: bool
    message: str
    request_id: str
    def __init__(self, world: _Optional[str] = ..., author: _Optional[str] = ..., anyone: bool = ..., message: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class UndoResponse(_message.Message):
    __slots__ = ("commit",)
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    commit: _history_service_pb2.Commit
    def __init__(self, commit: _Optional[_Union[_history_service_pb2.Commit, _Mapping]] = ...) -> None: ...

class RedoRequest(_message.Message):
    __slots__ = ("world", "author", "anyone", "message", "request_id")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    ANYONE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    world: str
    author: str
    anyone: bool
    message: str
    request_id: str
    def __init__(self, world: _Optional[str] = ..., author: _Optional[str] = ..., anyone: bool = ..., message: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RedoResponse(_message.Message):
    __slots__ = ("commit",)
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    commit: _history_service_pb2.Commit
    def __init__(self, commit: _Optional[_Union[_history_service_pb2.Commit, _Mapping]] = ...) -> None: ...
