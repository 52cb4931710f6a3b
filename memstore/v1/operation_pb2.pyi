from memstore.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Selection(_message.Message):
    __slots__ = ("everything", "box", "sphere", "half_space", "frustum", "patches", "layers", "kinds", "frames", "ordinals", "made", "all_of", "any_of", "all_but", "finer")
    class Everything(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Box(_message.Message):
        __slots__ = ("center", "size_m", "rotation")
        CENTER_FIELD_NUMBER: _ClassVar[int]
        SIZE_M_FIELD_NUMBER: _ClassVar[int]
        ROTATION_FIELD_NUMBER: _ClassVar[int]
        center: _common_pb2.Vector3
        size_m: _common_pb2.Vector3
        rotation: _common_pb2.Quaternion
        def __init__(self, center: _Optional[_Union[_common_pb2.Vector3, _Mapping]] = ..., size_m: _Optional[_Union[_common_pb2.Vector3, _Mapping]] = ..., rotation: _Optional[_Union[_common_pb2.Quaternion, _Mapping]] = ...) -> None: ...
    class Sphere(_message.Message):
        __slots__ = ("center", "radius_m")
        CENTER_FIELD_NUMBER: _ClassVar[int]
        RADIUS_M_FIELD_NUMBER: _ClassVar[int]
        center: _common_pb2.Vector3
        radius_m: float
        def __init__(self, center: _Optional[_Union[_common_pb2.Vector3, _Mapping]] = ..., radius_m: _Optional[float] = ...) -> None: ...
    class HalfSpace(_message.Message):
        __slots__ = ("normal", "offset_m")
        NORMAL_FIELD_NUMBER: _ClassVar[int]
        OFFSET_M_FIELD_NUMBER: _ClassVar[int]
        normal: _common_pb2.Vector3
        offset_m: float
        def __init__(self, normal: _Optional[_Union[_common_pb2.Vector3, _Mapping]] = ..., offset_m: _Optional[float] = ...) -> None: ...
    class ViewFrustum(_message.Message):
        __slots__ = ("camera", "near_m", "far_m")
        CAMERA_FIELD_NUMBER: _ClassVar[int]
        NEAR_M_FIELD_NUMBER: _ClassVar[int]
        FAR_M_FIELD_NUMBER: _ClassVar[int]
        camera: _common_pb2.Camera
        near_m: float
        far_m: float
        def __init__(self, camera: _Optional[_Union[_common_pb2.Camera, _Mapping]] = ..., near_m: _Optional[float] = ..., far_m: _Optional[float] = ...) -> None: ...
    class PatchIds(_message.Message):
        __slots__ = ("ids", "listed", "layer")
        IDS_FIELD_NUMBER: _ClassVar[int]
        LISTED_FIELD_NUMBER: _ClassVar[int]
        LAYER_FIELD_NUMBER: _ClassVar[int]
        ids: _common_pb2.Array
        listed: _containers.RepeatedScalarFieldContainer[int]
        layer: str
        def __init__(self, ids: _Optional[_Union[_common_pb2.Array, _Mapping]] = ..., listed: _Optional[_Iterable[int]] = ..., layer: _Optional[str] = ...) -> None: ...
    class Layers(_message.Message):
        __slots__ = ("names",)
        NAMES_FIELD_NUMBER: _ClassVar[int]
        names: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...
    class Kinds(_message.Message):
        __slots__ = ("kinds",)
        KINDS_FIELD_NUMBER: _ClassVar[int]
        kinds: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, kinds: _Optional[_Iterable[str]] = ...) -> None: ...
    class Frames(_message.Message):
        __slots__ = ("ordinals",)
        ORDINALS_FIELD_NUMBER: _ClassVar[int]
        ordinals: _containers.RepeatedScalarFieldContainer[int]
        def __init__(self, ordinals: _Optional[_Iterable[int]] = ...) -> None: ...
    class Ordinals(_message.Message):
        __slots__ = ("start", "stop")
        START_FIELD_NUMBER: _ClassVar[int]
        STOP_FIELD_NUMBER: _ClassVar[int]
        start: int
        stop: int
        def __init__(self, start: _Optional[int] = ..., stop: _Optional[int] = ...) -> None: ...
    class Made(_message.Message):
        __slots__ = ("operation",)
        OPERATION_FIELD_NUMBER: _ClassVar[int]
        operation: int
        def __init__(self, operation: _Optional[int] = ...) -> None: ...
    class Finer(_message.Message):
        __slots__ = ("radius_m",)
        RADIUS_M_FIELD_NUMBER: _ClassVar[int]
        radius_m: float
        def __init__(self, radius_m: _Optional[float] = ...) -> None: ...
    class Parts(_message.Message):
        __slots__ = ("parts",)
        PARTS_FIELD_NUMBER: _ClassVar[int]
        parts: _containers.RepeatedCompositeFieldContainer[Selection]
        def __init__(self, parts: _Optional[_Iterable[_Union[Selection, _Mapping]]] = ...) -> None: ...
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    SPHERE_FIELD_NUMBER: _ClassVar[int]
    HALF_SPACE_FIELD_NUMBER: _ClassVar[int]
    FRUSTUM_FIELD_NUMBER: _ClassVar[int]
    PATCHES_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    ORDINALS_FIELD_NUMBER: _ClassVar[int]
    MADE_FIELD_NUMBER: _ClassVar[int]
    ALL_OF_FIELD_NUMBER: _ClassVar[int]
    ANY_OF_FIELD_NUMBER: _ClassVar[int]
    ALL_BUT_FIELD_NUMBER: _ClassVar[int]
    FINER_FIELD_NUMBER: _ClassVar[int]
    everything: Selection.Everything
    box: Selection.Box
    sphere: Selection.Sphere
    half_space: Selection.HalfSpace
    frustum: Selection.ViewFrustum
    patches: Selection.PatchIds
    layers: Selection.Layers
    kinds: Selection.Kinds
    frames: Selection.Frames
    ordinals: Selection.Ordinals
    made: Selection.Made
    all_of: Selection.Parts
    any_of: Selection.Parts
    all_but: Selection
    finer: Selection.Finer
    def __init__(self, everything: _Optional[_Union[Selection.Everything, _Mapping]] = ..., box: _Optional[_Union[Selection.Box, _Mapping]] = ..., sphere: _Optional[_Union[Selection.Sphere, _Mapping]] = ..., half_space: _Optional[_Union[Selection.HalfSpace, _Mapping]] = ..., frustum: _Optional[_Union[Selection.ViewFrustum, _Mapping]] = ..., patches: _Optional[_Union[Selection.PatchIds, _Mapping]] = ..., layers: _Optional[_Union[Selection.Layers, _Mapping]] = ..., kinds: _Optional[_Union[Selection.Kinds, _Mapping]] = ..., frames: _Optional[_Union[Selection.Frames, _Mapping]] = ..., ordinals: _Optional[_Union[Selection.Ordinals, _Mapping]] = ..., made: _Optional[_Union[Selection.Made, _Mapping]] = ..., all_of: _Optional[_Union[Selection.Parts, _Mapping]] = ..., any_of: _Optional[_Union[Selection.Parts, _Mapping]] = ..., all_but: _Optional[_Union[Selection, _Mapping]] = ..., finer: _Optional[_Union[Selection.Finer, _Mapping]] = ...) -> None: ...

class Operation(_message.Message):
    __slots__ = ("delete", "duplicate", "relocate", "invert", "name", "show", "hide", "restore", "concatenate", "stitch")
    class Delete(_message.Message):
        __slots__ = ("selection", "allow_empty")
        SELECTION_FIELD_NUMBER: _ClassVar[int]
        ALLOW_EMPTY_FIELD_NUMBER: _ClassVar[int]
        selection: Selection
        allow_empty: bool
        def __init__(self, selection: _Optional[_Union[Selection, _Mapping]] = ..., allow_empty: bool = ...) -> None: ...
    class Duplicate(_message.Message):
        __slots__ = ("selection", "placements", "pivot", "pivot_point", "name", "allow_empty")
        SELECTION_FIELD_NUMBER: _ClassVar[int]
        PLACEMENTS_FIELD_NUMBER: _ClassVar[int]
        PIVOT_FIELD_NUMBER: _ClassVar[int]
        PIVOT_POINT_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        ALLOW_EMPTY_FIELD_NUMBER: _ClassVar[int]
        selection: Selection
        placements: _containers.RepeatedCompositeFieldContainer[_common_pb2.Transform]
        pivot: str
        pivot_point: _common_pb2.Vector3
        name: str
        allow_empty: bool
        def __init__(self, selection: _Optional[_Union[Selection, _Mapping]] = ..., placements: _Optional[_Iterable[_Union[_common_pb2.Transform, _Mapping]]] = ..., pivot: _Optional[str] = ..., pivot_point: _Optional[_Union[_common_pb2.Vector3, _Mapping]] = ..., name: _Optional[str] = ..., allow_empty: bool = ...) -> None: ...
    class Relocate(_message.Message):
        __slots__ = ("selection", "transform", "pivot", "pivot_point", "name", "allow_empty")
        SELECTION_FIELD_NUMBER: _ClassVar[int]
        TRANSFORM_FIELD_NUMBER: _ClassVar[int]
        PIVOT_FIELD_NUMBER: _ClassVar[int]
        PIVOT_POINT_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        ALLOW_EMPTY_FIELD_NUMBER: _ClassVar[int]
        selection: Selection
        transform: _common_pb2.Transform
        pivot: str
        pivot_point: _common_pb2.Vector3
        name: str
        allow_empty: bool
        def __init__(self, selection: _Optional[_Union[Selection, _Mapping]] = ..., transform: _Optional[_Union[_common_pb2.Transform, _Mapping]] = ..., pivot: _Optional[str] = ..., pivot_point: _Optional[_Union[_common_pb2.Vector3, _Mapping]] = ..., name: _Optional[str] = ..., allow_empty: bool = ...) -> None: ...
    class Invert(_message.Message):
        __slots__ = ("selection", "height_m", "axis", "keep", "name", "allow_empty")
        SELECTION_FIELD_NUMBER: _ClassVar[int]
        HEIGHT_M_FIELD_NUMBER: _ClassVar[int]
        AXIS_FIELD_NUMBER: _ClassVar[int]
        KEEP_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        ALLOW_EMPTY_FIELD_NUMBER: _ClassVar[int]
        selection: Selection
        height_m: float
        axis: int
        keep: bool
        name: str
        allow_empty: bool
        def __init__(self, selection: _Optional[_Union[Selection, _Mapping]] = ..., height_m: _Optional[float] = ..., axis: _Optional[int] = ..., keep: bool = ..., name: _Optional[str] = ..., allow_empty: bool = ...) -> None: ...
    class NameLayer(_message.Message):
        __slots__ = ("selection", "name", "allow_empty")
        SELECTION_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        ALLOW_EMPTY_FIELD_NUMBER: _ClassVar[int]
        selection: Selection
        name: str
        allow_empty: bool
        def __init__(self, selection: _Optional[_Union[Selection, _Mapping]] = ..., name: _Optional[str] = ..., allow_empty: bool = ...) -> None: ...
    class ShowLayers(_message.Message):
        __slots__ = ("names",)
        NAMES_FIELD_NUMBER: _ClassVar[int]
        names: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...
    class HideLayers(_message.Message):
        __slots__ = ("names",)
        NAMES_FIELD_NUMBER: _ClassVar[int]
        names: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...
    class Restore(_message.Message):
        __slots__ = ("selection", "allow_empty")
        SELECTION_FIELD_NUMBER: _ClassVar[int]
        ALLOW_EMPTY_FIELD_NUMBER: _ClassVar[int]
        selection: Selection
        allow_empty: bool
        def __init__(self, selection: _Optional[_Union[Selection, _Mapping]] = ..., allow_empty: bool = ...) -> None: ...
    class Concatenate(_message.Message):
        __slots__ = ("world", "side", "gap_m", "branch", "commit", "sky", "name")
        WORLD_FIELD_NUMBER: _ClassVar[int]
        SIDE_FIELD_NUMBER: _ClassVar[int]
        GAP_M_FIELD_NUMBER: _ClassVar[int]
        BRANCH_FIELD_NUMBER: _ClassVar[int]
        COMMIT_FIELD_NUMBER: _ClassVar[int]
        SKY_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        world: str
        side: str
        gap_m: float
        branch: str
        commit: str
        sky: bool
        name: str
        def __init__(self, world: _Optional[str] = ..., side: _Optional[str] = ..., gap_m: _Optional[float] = ..., branch: _Optional[str] = ..., commit: _Optional[str] = ..., sky: bool = ..., name: _Optional[str] = ...) -> None: ...
    class Stitch(_message.Message):
        __slots__ = ("world", "at", "align", "region", "branch", "commit", "sky", "name")
        WORLD_FIELD_NUMBER: _ClassVar[int]
        AT_FIELD_NUMBER: _ClassVar[int]
        ALIGN_FIELD_NUMBER: _ClassVar[int]
        REGION_FIELD_NUMBER: _ClassVar[int]
        BRANCH_FIELD_NUMBER: _ClassVar[int]
        COMMIT_FIELD_NUMBER: _ClassVar[int]
        SKY_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        world: str
        at: _common_pb2.Transform
        align: str
        region: Selection
        branch: str
        commit: str
        sky: bool
        name: str
        def __init__(self, world: _Optional[str] = ..., at: _Optional[_Union[_common_pb2.Transform, _Mapping]] = ..., align: _Optional[str] = ..., region: _Optional[_Union[Selection, _Mapping]] = ..., branch: _Optional[str] = ..., commit: _Optional[str] = ..., sky: bool = ..., name: _Optional[str] = ...) -> None: ...
    DELETE_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    RELOCATE_FIELD_NUMBER: _ClassVar[int]
    INVERT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHOW_FIELD_NUMBER: _ClassVar[int]
    HIDE_FIELD_NUMBER: _ClassVar[int]
    RESTORE_FIELD_NUMBER: _ClassVar[int]
    CONCATENATE_FIELD_NUMBER: _ClassVar[int]
    STITCH_FIELD_NUMBER: _ClassVar[int]
    delete: Operation.Delete
    duplicate: Operation.Duplicate
    relocate: Operation.Relocate
    invert: Operation.Invert
    name: Operation.NameLayer
    show: Operation.ShowLayers
    hide: Operation.HideLayers
    restore: Operation.Restore
    concatenate: Operation.Concatenate
    stitch: Operation.Stitch
    def __init__(self, delete: _Optional[_Union[Operation.Delete, _Mapping]] = ..., duplicate: _Optional[_Union[Operation.Duplicate, _Mapping]] = ..., relocate: _Optional[_Union[Operation.Relocate, _Mapping]] = ..., invert: _Optional[_Union[Operation.Invert, _Mapping]] = ..., name: _Optional[_Union[Operation.NameLayer, _Mapping]] = ..., show: _Optional[_Union[Operation.ShowLayers, _Mapping]] = ..., hide: _Optional[_Union[Operation.HideLayers, _Mapping]] = ..., restore: _Optional[_Union[Operation.Restore, _Mapping]] = ..., concatenate: _Optional[_Union[Operation.Concatenate, _Mapping]] = ..., stitch: _Optional[_Union[Operation.Stitch, _Mapping]] = ...) -> None: ...
