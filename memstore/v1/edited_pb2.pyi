from memstore.v1 import common_pb2 as _common_pb2
from memstore.v1 import memory_service_pb2 as _memory_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LayerSummary(_message.Message):
    __slots__ = ("layer_id", "name", "kind", "origin", "placement", "visible", "ordinal_offset", "patch_count", "bounds")
    LAYER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_FIELD_NUMBER: _ClassVar[int]
    ORDINAL_OFFSET_FIELD_NUMBER: _ClassVar[int]
    PATCH_COUNT_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    layer_id: str
    name: str
    kind: str
    origin: str
    placement: _common_pb2.Transform
    visible: bool
    ordinal_offset: int
    patch_count: int
    bounds: _memory_service_pb2.Bounds
    def __init__(self, layer_id: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[str] = ..., origin: _Optional[str] = ..., placement: _Optional[_Union[_common_pb2.Transform, _Mapping]] = ..., visible: bool = ..., ordinal_offset: _Optional[int] = ..., patch_count: _Optional[int] = ..., bounds: _Optional[_Union[_memory_service_pb2.Bounds, _Mapping]] = ...) -> None: ...

class RegistrationSummary(_message.Message):
    __slots__ = ("transform", "overlap", "residual_m", "constraint", "correction_m", "correction_rad")
    TRANSFORM_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_M_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINT_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_M_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_RAD_FIELD_NUMBER: _ClassVar[int]
    transform: _common_pb2.Transform
    overlap: float
    residual_m: float
    constraint: _containers.RepeatedScalarFieldContainer[float]
    correction_m: float
    correction_rad: float
    def __init__(self, transform: _Optional[_Union[_common_pb2.Transform, _Mapping]] = ..., overlap: _Optional[float] = ..., residual_m: _Optional[float] = ..., constraint: _Optional[_Iterable[float]] = ..., correction_m: _Optional[float] = ..., correction_rad: _Optional[float] = ...) -> None: ...

class OperationReport(_message.Message):
    __slots__ = ("operation", "selected_count", "hidden_count", "shown_count", "layers", "bounds", "registration")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    SELECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    SHOWN_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    operation: str
    selected_count: int
    hidden_count: int
    shown_count: int
    layers: _containers.RepeatedCompositeFieldContainer[LayerSummary]
    bounds: _memory_service_pb2.Bounds
    registration: RegistrationSummary
    def __init__(self, operation: _Optional[str] = ..., selected_count: _Optional[int] = ..., hidden_count: _Optional[int] = ..., shown_count: _Optional[int] = ..., layers: _Optional[_Iterable[_Union[LayerSummary, _Mapping]]] = ..., bounds: _Optional[_Union[_memory_service_pb2.Bounds, _Mapping]] = ..., registration: _Optional[_Union[RegistrationSummary, _Mapping]] = ...) -> None: ...

class EditReport(_message.Message):
    __slots__ = ("commit", "base", "operations", "patches_before", "patches_after", "bytes_written", "camera", "before", "after")
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    PATCHES_BEFORE_FIELD_NUMBER: _ClassVar[int]
    PATCHES_AFTER_FIELD_NUMBER: _ClassVar[int]
    BYTES_WRITTEN_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    commit: str
    base: str
    operations: _containers.RepeatedCompositeFieldContainer[OperationReport]
    patches_before: int
    patches_after: int
    bytes_written: int
    camera: _common_pb2.Camera
    before: _common_pb2.Array
    after: _common_pb2.Array
    def __init__(self, commit: _Optional[str] = ..., base: _Optional[str] = ..., operations: _Optional[_Iterable[_Union[OperationReport, _Mapping]]] = ..., patches_before: _Optional[int] = ..., patches_after: _Optional[int] = ..., bytes_written: _Optional[int] = ..., camera: _Optional[_Union[_common_pb2.Camera, _Mapping]] = ..., before: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., after: _Optional[_Union[_common_pb2.Array, _Mapping]] = ...) -> None: ...

class LayerCount(_message.Message):
    __slots__ = ("layer_id", "name", "patch_count")
    LAYER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATCH_COUNT_FIELD_NUMBER: _ClassVar[int]
    layer_id: str
    name: str
    patch_count: int
    def __init__(self, layer_id: _Optional[str] = ..., name: _Optional[str] = ..., patch_count: _Optional[int] = ...) -> None: ...

class SelectionReport(_message.Message):
    __slots__ = ("commit", "patch_count", "bounds", "layers", "camera", "picture")
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    PATCH_COUNT_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    commit: str
    patch_count: int
    bounds: _memory_service_pb2.Bounds
    layers: _containers.RepeatedCompositeFieldContainer[LayerCount]
    camera: _common_pb2.Camera
    picture: _common_pb2.Array
    def __init__(self, commit: _Optional[str] = ..., patch_count: _Optional[int] = ..., bounds: _Optional[_Union[_memory_service_pb2.Bounds, _Mapping]] = ..., layers: _Optional[_Iterable[_Union[LayerCount, _Mapping]]] = ..., camera: _Optional[_Union[_common_pb2.Camera, _Mapping]] = ..., picture: _Optional[_Union[_common_pb2.Array, _Mapping]] = ...) -> None: ...

class Picked(_message.Message):
    __slots__ = ("patch_id", "layer_id", "layer", "position", "depth_m", "ordinal")
    PATCH_ID_FIELD_NUMBER: _ClassVar[int]
    LAYER_ID_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    DEPTH_M_FIELD_NUMBER: _ClassVar[int]
    ORDINAL_FIELD_NUMBER: _ClassVar[int]
    patch_id: int
    layer_id: str
    layer: str
    position: _common_pb2.Vector3
    depth_m: float
    ordinal: int
    def __init__(self, patch_id: _Optional[int] = ..., layer_id: _Optional[str] = ..., layer: _Optional[str] = ..., position: _Optional[_Union[_common_pb2.Vector3, _Mapping]] = ..., depth_m: _Optional[float] = ..., ordinal: _Optional[int] = ...) -> None: ...
