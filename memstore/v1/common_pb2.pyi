from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ElementType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ELEMENT_TYPE_UNSPECIFIED: _ClassVar[ElementType]
    ELEMENT_TYPE_BOOL: _ClassVar[ElementType]
    ELEMENT_TYPE_UINT8: _ClassVar[ElementType]
    ELEMENT_TYPE_UINT16: _ClassVar[ElementType]
    ELEMENT_TYPE_UINT32: _ClassVar[ElementType]
    ELEMENT_TYPE_UINT64: _ClassVar[ElementType]
    ELEMENT_TYPE_INT16: _ClassVar[ElementType]
    ELEMENT_TYPE_INT32: _ClassVar[ElementType]
    ELEMENT_TYPE_INT64: _ClassVar[ElementType]
    ELEMENT_TYPE_FLOAT16: _ClassVar[ElementType]
    ELEMENT_TYPE_FLOAT32: _ClassVar[ElementType]
    ELEMENT_TYPE_FLOAT64: _ClassVar[ElementType]
ELEMENT_TYPE_UNSPECIFIED: ElementType
ELEMENT_TYPE_BOOL: ElementType
ELEMENT_TYPE_UINT8: ElementType
ELEMENT_TYPE_UINT16: ElementType
ELEMENT_TYPE_UINT32: ElementType
ELEMENT_TYPE_UINT64: ElementType
ELEMENT_TYPE_INT16: ElementType
ELEMENT_TYPE_INT32: ElementType
ELEMENT_TYPE_INT64: ElementType
ELEMENT_TYPE_FLOAT16: ElementType
ELEMENT_TYPE_FLOAT32: ElementType
ELEMENT_TYPE_FLOAT64: ElementType

class Array(_message.Message):
    __slots__ = ("element_type", "shape", "data")
    ELEMENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    element_type: ElementType
    shape: _containers.RepeatedScalarFieldContainer[int]
    data: bytes
    def __init__(self, element_type: _Optional[_Union[ElementType, str]] = ..., shape: _Optional[_Iterable[int]] = ..., data: _Optional[bytes] = ...) -> None: ...

class Scalar(_message.Message):
    __slots__ = ("text", "integer", "number", "truth")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRUTH_FIELD_NUMBER: _ClassVar[int]
    text: str
    integer: int
    number: float
    truth: bool
    def __init__(self, text: _Optional[str] = ..., integer: _Optional[int] = ..., number: _Optional[float] = ..., truth: bool = ...) -> None: ...

class Vector3(_message.Message):
    __slots__ = ("x", "y", "z")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    Z_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    z: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., z: _Optional[float] = ...) -> None: ...

class Quaternion(_message.Message):
    __slots__ = ("w", "x", "y", "z")
    W_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    Z_FIELD_NUMBER: _ClassVar[int]
    w: float
    x: float
    y: float
    z: float
    def __init__(self, w: _Optional[float] = ..., x: _Optional[float] = ..., y: _Optional[float] = ..., z: _Optional[float] = ...) -> None: ...

class Transform(_message.Message):
    __slots__ = ("rotation", "translation", "scale")
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    TRANSLATION_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    rotation: Quaternion
    translation: Vector3
    scale: float
    def __init__(self, rotation: _Optional[_Union[Quaternion, _Mapping]] = ..., translation: _Optional[_Union[Vector3, _Mapping]] = ..., scale: _Optional[float] = ...) -> None: ...

class Camera(_message.Message):
    __slots__ = ("fx", "fy", "cx", "cy", "width", "height", "camera_to_world")
    FX_FIELD_NUMBER: _ClassVar[int]
    FY_FIELD_NUMBER: _ClassVar[int]
    CX_FIELD_NUMBER: _ClassVar[int]
    CY_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CAMERA_TO_WORLD_FIELD_NUMBER: _ClassVar[int]
    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    camera_to_world: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, fx: _Optional[float] = ..., fy: _Optional[float] = ..., cx: _Optional[float] = ..., cy: _Optional[float] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., camera_to_world: _Optional[_Iterable[float]] = ...) -> None: ...

class LatentSpec(_message.Message):
    __slots__ = ("codec", "revision", "channels", "stride", "patch", "dtype", "normalised", "depth_stride", "depth_dtype")
    CODEC_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    PATCH_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    NORMALISED_FIELD_NUMBER: _ClassVar[int]
    DEPTH_STRIDE_FIELD_NUMBER: _ClassVar[int]
    DEPTH_DTYPE_FIELD_NUMBER: _ClassVar[int]
    codec: str
    revision: str
    channels: int
    stride: int
    patch: int
    dtype: str
    normalised: bool
    depth_stride: int
    depth_dtype: str
    def __init__(self, codec: _Optional[str] = ..., revision: _Optional[str] = ..., channels: _Optional[int] = ..., stride: _Optional[int] = ..., patch: _Optional[int] = ..., dtype: _Optional[str] = ..., normalised: bool = ..., depth_stride: _Optional[int] = ..., depth_dtype: _Optional[str] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("camera", "depth_m", "rgb", "time_s", "moving", "latents", "caption", "metadata", "ordinal")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Scalar
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Scalar, _Mapping]] = ...) -> None: ...
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    DEPTH_M_FIELD_NUMBER: _ClassVar[int]
    RGB_FIELD_NUMBER: _ClassVar[int]
    TIME_S_FIELD_NUMBER: _ClassVar[int]
    MOVING_FIELD_NUMBER: _ClassVar[int]
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    ORDINAL_FIELD_NUMBER: _ClassVar[int]
    camera: Camera
    depth_m: Array
    rgb: Array
    time_s: float
    moving: Array
    latents: Array
    caption: str
    metadata: _containers.MessageMap[str, Scalar]
    ordinal: int
    def __init__(self, camera: _Optional[_Union[Camera, _Mapping]] = ..., depth_m: _Optional[_Union[Array, _Mapping]] = ..., rgb: _Optional[_Union[Array, _Mapping]] = ..., time_s: _Optional[float] = ..., moving: _Optional[_Union[Array, _Mapping]] = ..., latents: _Optional[_Union[Array, _Mapping]] = ..., caption: _Optional[str] = ..., metadata: _Optional[_Mapping[str, Scalar]] = ..., ordinal: _Optional[int] = ...) -> None: ...

class Query(_message.Message):
    __slots__ = ("ranking", "per_token", "budget", "max_frames", "frames_by", "near_m", "far_m", "min_facing", "depth_tolerance", "radius_tolerance", "as_of", "before", "latents", "as_of_s")
    class Ranking(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        RANKING_UNSPECIFIED: _ClassVar[Query.Ranking]
        RANKING_NEWEST: _ClassVar[Query.Ranking]
        RANKING_CLOSEST: _ClassVar[Query.Ranking]
        RANKING_SHARPEST: _ClassVar[Query.Ranking]
        RANKING_FRAMES: _ClassVar[Query.Ranking]
    RANKING_UNSPECIFIED: Query.Ranking
    RANKING_NEWEST: Query.Ranking
    RANKING_CLOSEST: Query.Ranking
    RANKING_SHARPEST: Query.Ranking
    RANKING_FRAMES: Query.Ranking
    class FramesBy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FRAMES_BY_UNSPECIFIED: _ClassVar[Query.FramesBy]
        FRAMES_BY_POSE: _ClassVar[Query.FramesBy]
        FRAMES_BY_COVERAGE: _ClassVar[Query.FramesBy]
    FRAMES_BY_UNSPECIFIED: Query.FramesBy
    FRAMES_BY_POSE: Query.FramesBy
    FRAMES_BY_COVERAGE: Query.FramesBy
    RANKING_FIELD_NUMBER: _ClassVar[int]
    PER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAMES_FIELD_NUMBER: _ClassVar[int]
    FRAMES_BY_FIELD_NUMBER: _ClassVar[int]
    NEAR_M_FIELD_NUMBER: _ClassVar[int]
    FAR_M_FIELD_NUMBER: _ClassVar[int]
    MIN_FACING_FIELD_NUMBER: _ClassVar[int]
    DEPTH_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    RADIUS_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LATENTS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_S_FIELD_NUMBER: _ClassVar[int]
    ranking: Query.Ranking
    per_token: int
    budget: int
    max_frames: int
    frames_by: Query.FramesBy
    near_m: float
    far_m: float
    min_facing: float
    depth_tolerance: float
    radius_tolerance: float
    as_of: int
    before: int
    latents: bool
    as_of_s: float
    def __init__(self, ranking: _Optional[_Union[Query.Ranking, str]] = ..., per_token: _Optional[int] = ..., budget: _Optional[int] = ..., max_frames: _Optional[int] = ..., frames_by: _Optional[_Union[Query.FramesBy, str]] = ..., near_m: _Optional[float] = ..., far_m: _Optional[float] = ..., min_facing: _Optional[float] = ..., depth_tolerance: _Optional[float] = ..., radius_tolerance: _Optional[float] = ..., as_of: _Optional[int] = ..., before: _Optional[int] = ..., latents: bool = ..., as_of_s: _Optional[float] = ...) -> None: ...

class ErrorFacts(_message.Message):
    __slots__ = ("kind", "facts")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Scalar
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Scalar, _Mapping]] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    facts: _containers.MessageMap[str, Scalar]
    def __init__(self, kind: _Optional[str] = ..., facts: _Optional[_Mapping[str, Scalar]] = ...) -> None: ...
