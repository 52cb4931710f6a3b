from memstore.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IngestFramesRequest(_message.Message):
    __slots__ = ("start", "frame", "rest", "flush", "finish", "abandon", "discard")
    class Start(_message.Message):
        __slots__ = ("world", "message", "author", "request_id", "forgetting")
        WORLD_FIELD_NUMBER: _ClassVar[int]
        MESSAGE_FIELD_NUMBER: _ClassVar[int]
        AUTHOR_FIELD_NUMBER: _ClassVar[int]
        REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
        FORGETTING_FIELD_NUMBER: _ClassVar[int]
        world: str
        message: str
        author: str
        request_id: str
        forgetting: bool
        def __init__(self, world: _Optional[str] = ..., message: _Optional[str] = ..., author: _Optional[str] = ..., request_id: _Optional[str] = ..., forgetting: bool = ...) -> None: ...
    class Flush(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Finish(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Abandon(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Discard(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    START_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    FLUSH_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    ABANDON_FIELD_NUMBER: _ClassVar[int]
    DISCARD_FIELD_NUMBER: _ClassVar[int]
    start: IngestFramesRequest.Start
    frame: _common_pb2.Frame
    rest: bytes
    flush: IngestFramesRequest.Flush
    finish: IngestFramesRequest.Finish
    abandon: IngestFramesRequest.Abandon
    discard: IngestFramesRequest.Discard
    def __init__(self, start: _Optional[_Union[IngestFramesRequest.Start, _Mapping]] = ..., frame: _Optional[_Union[_common_pb2.Frame, _Mapping]] = ..., rest: _Optional[bytes] = ..., flush: _Optional[_Union[IngestFramesRequest.Flush, _Mapping]] = ..., finish: _Optional[_Union[IngestFramesRequest.Finish, _Mapping]] = ..., abandon: _Optional[_Union[IngestFramesRequest.Abandon, _Mapping]] = ..., discard: _Optional[_Union[IngestFramesRequest.Discard, _Mapping]] = ...) -> None: ...

class IngestFramesResponse(_message.Message):
    __slots__ = ("cause", "acknowledged", "received", "credit", "first_ordinal")
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CAUSE_UNSPECIFIED: _ClassVar[IngestFramesResponse.Cause]
        CAUSE_STARTED: _ClassVar[IngestFramesResponse.Cause]
        CAUSE_TAKEN: _ClassVar[IngestFramesResponse.Cause]
        CAUSE_FLUSHED: _ClassVar[IngestFramesResponse.Cause]
        CAUSE_ENDED: _ClassVar[IngestFramesResponse.Cause]
        CAUSE_WORKING: _ClassVar[IngestFramesResponse.Cause]
    CAUSE_UNSPECIFIED: IngestFramesResponse.Cause
    CAUSE_STARTED: IngestFramesResponse.Cause
    CAUSE_TAKEN: IngestFramesResponse.Cause
    CAUSE_FLUSHED: IngestFramesResponse.Cause
    CAUSE_ENDED: IngestFramesResponse.Cause
    CAUSE_WORKING: IngestFramesResponse.Cause
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    FIRST_ORDINAL_FIELD_NUMBER: _ClassVar[int]
    cause: IngestFramesResponse.Cause
    acknowledged: int
    received: int
    credit: int
    first_ordinal: int
    def __init__(self, cause: _Optional[_Union[IngestFramesResponse.Cause, str]] = ..., acknowledged: _Optional[int] = ..., received: _Optional[int] = ..., credit: _Optional[int] = ..., first_ordinal: _Optional[int] = ...) -> None: ...

class RetrieveRequest(_message.Message):
    __slots__ = ("world", "commit", "cameras", "query")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    CAMERAS_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    world: str
    commit: str
    cameras: _containers.RepeatedCompositeFieldContainer[_common_pb2.Camera]
    query: _common_pb2.Query
    def __init__(self, world: _Optional[str] = ..., commit: _Optional[str] = ..., cameras: _Optional[_Iterable[_Union[_common_pb2.Camera, _Mapping]]] = ..., query: _Optional[_Union[_common_pb2.Query, _Mapping]] = ...) -> None: ...

class RetrieveResponse(_message.Message):
    __slots__ = ("mosaic", "rest")
    MOSAIC_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    mosaic: Mosaic
    rest: bytes
    def __init__(self, mosaic: _Optional[_Union[Mosaic, _Mapping]] = ..., rest: _Optional[bytes] = ...) -> None: ...

class Mosaic(_message.Message):
    __slots__ = ("camera", "spec", "commit", "ids", "layer", "layers", "uv", "depth_m", "radius_px", "color", "source", "cell", "sources", "coverage", "content")
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    UV_FIELD_NUMBER: _ClassVar[int]
    DEPTH_M_FIELD_NUMBER: _ClassVar[int]
    RADIUS_PX_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CELL_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    camera: _common_pb2.Camera
    spec: _common_pb2.LatentSpec
    commit: str
    ids: _common_pb2.Array
    layer: _common_pb2.Array
    layers: _containers.RepeatedScalarFieldContainer[str]
    uv: _common_pb2.Array
    depth_m: _common_pb2.Array
    radius_px: _common_pb2.Array
    color: _common_pb2.Array
    source: _common_pb2.Array
    cell: _common_pb2.Array
    sources: SourceViews
    coverage: _common_pb2.Array
    content: Content
    def __init__(self, camera: _Optional[_Union[_common_pb2.Camera, _Mapping]] = ..., spec: _Optional[_Union[_common_pb2.LatentSpec, _Mapping]] = ..., commit: _Optional[str] = ..., ids: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., layer: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., layers: _Optional[_Iterable[str]] = ..., uv: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., depth_m: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., radius_px: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., color: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., source: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., cell: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., sources: _Optional[_Union[SourceViews, _Mapping]] = ..., coverage: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., content: _Optional[_Union[Content, _Mapping]] = ...) -> None: ...

class SourceViews(_message.Message):
    __slots__ = ("segment", "ordinal", "intrinsics", "size", "camera_to_world", "scale", "sky")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    ORDINAL_FIELD_NUMBER: _ClassVar[int]
    INTRINSICS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CAMERA_TO_WORLD_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    SKY_FIELD_NUMBER: _ClassVar[int]
    segment: _common_pb2.Array
    ordinal: _common_pb2.Array
    intrinsics: _common_pb2.Array
    size: _common_pb2.Array
    camera_to_world: _common_pb2.Array
    scale: _common_pb2.Array
    sky: _common_pb2.Array
    def __init__(self, segment: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., ordinal: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., intrinsics: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., size: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., camera_to_world: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., scale: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., sky: _Optional[_Union[_common_pb2.Array, _Mapping]] = ...) -> None: ...

class Content(_message.Message):
    __slots__ = ("latents", "depth_m")
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    DEPTH_M_FIELD_NUMBER: _ClassVar[int]
    latents: _common_pb2.Array
    depth_m: _common_pb2.Array
    def __init__(self, latents: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., depth_m: _Optional[_Union[_common_pb2.Array, _Mapping]] = ...) -> None: ...

class FramesRequest(_message.Message):
    __slots__ = ("world", "commit", "start", "stop", "as_of")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    world: str
    commit: str
    start: int
    stop: int
    as_of: int
    def __init__(self, world: _Optional[str] = ..., commit: _Optional[str] = ..., start: _Optional[int] = ..., stop: _Optional[int] = ..., as_of: _Optional[int] = ...) -> None: ...

class FramesResponse(_message.Message):
    __slots__ = ("reading", "frame", "rest")
    READING_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    reading: Reading
    frame: _common_pb2.Frame
    rest: bytes
    def __init__(self, reading: _Optional[_Union[Reading, _Mapping]] = ..., frame: _Optional[_Union[_common_pb2.Frame, _Mapping]] = ..., rest: _Optional[bytes] = ...) -> None: ...

class Reading(_message.Message):
    __slots__ = ("commit",)
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    commit: str
    def __init__(self, commit: _Optional[str] = ...) -> None: ...

class GetPatchesRequest(_message.Message):
    __slots__ = ("world", "commit", "ids")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    world: str
    commit: str
    ids: _common_pb2.Array
    def __init__(self, world: _Optional[str] = ..., commit: _Optional[str] = ..., ids: _Optional[_Union[_common_pb2.Array, _Mapping]] = ...) -> None: ...

class GetPatchesResponse(_message.Message):
    __slots__ = ("patches", "rest")
    PATCHES_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    patches: Patches
    rest: bytes
    def __init__(self, patches: _Optional[_Union[Patches, _Mapping]] = ..., rest: _Optional[bytes] = ...) -> None: ...

class Patches(_message.Message):
    __slots__ = ("ids", "center", "radius", "normal", "ordinal", "color", "sky", "latents")
    IDS_FIELD_NUMBER: _ClassVar[int]
    CENTER_FIELD_NUMBER: _ClassVar[int]
    RADIUS_FIELD_NUMBER: _ClassVar[int]
    NORMAL_FIELD_NUMBER: _ClassVar[int]
    ORDINAL_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    SKY_FIELD_NUMBER: _ClassVar[int]
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    ids: _common_pb2.Array
    center: _common_pb2.Array
    radius: _common_pb2.Array
    normal: _common_pb2.Array
    ordinal: _common_pb2.Array
    color: _common_pb2.Array
    sky: _common_pb2.Array
    latents: _common_pb2.Array
    def __init__(self, ids: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., center: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., radius: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., normal: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., ordinal: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., color: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., sky: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., latents: _Optional[_Union[_common_pb2.Array, _Mapping]] = ...) -> None: ...

class GetBoundsRequest(_message.Message):
    __slots__ = ("world", "commit")
    WORLD_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    world: str
    commit: str
    def __init__(self, world: _Optional[str] = ..., commit: _Optional[str] = ...) -> None: ...

class GetBoundsResponse(_message.Message):
    __slots__ = ("bounds",)
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    bounds: Bounds
    def __init__(self, bounds: _Optional[_Union[Bounds, _Mapping]] = ...) -> None: ...

class Bounds(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: _common_pb2.Vector3
    high: _common_pb2.Vector3
    def __init__(self, low: _Optional[_Union[_common_pb2.Vector3, _Mapping]] = ..., high: _Optional[_Union[_common_pb2.Vector3, _Mapping]] = ...) -> None: ...
