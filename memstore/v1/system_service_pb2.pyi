from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("server_version", "protocol_version", "format_version", "limits", "codecs")
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    FORMAT_VERSION_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    CODECS_FIELD_NUMBER: _ClassVar[int]
    server_version: str
    protocol_version: int
    format_version: int
    limits: Limits
    codecs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, server_version: _Optional[str] = ..., protocol_version: _Optional[int] = ..., format_version: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., codecs: _Optional[_Iterable[str]] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("message_bytes", "frame_bytes", "ingest_credit", "page_size", "heartbeat_s")
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    INGEST_CREDIT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_S_FIELD_NUMBER: _ClassVar[int]
    message_bytes: int
    frame_bytes: int
    ingest_credit: int
    page_size: int
    heartbeat_s: float
    def __init__(self, message_bytes: _Optional[int] = ..., frame_bytes: _Optional[int] = ..., ingest_credit: _Optional[int] = ..., page_size: _Optional[int] = ..., heartbeat_s: _Optional[float] = ...) -> None: ...

class GetDatabaseRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetDatabaseResponse(_message.Message):
    __slots__ = ("root", "database_id", "format_version", "world_count", "segment_count", "patch_count", "disk_bytes")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    DATABASE_ID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_VERSION_FIELD_NUMBER: _ClassVar[int]
    WORLD_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PATCH_COUNT_FIELD_NUMBER: _ClassVar[int]
    DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    root: str
    database_id: str
    format_version: int
    world_count: int
    segment_count: int
    patch_count: int
    disk_bytes: int
    def __init__(self, root: _Optional[str] = ..., database_id: _Optional[str] = ..., format_version: _Optional[int] = ..., world_count: _Optional[int] = ..., segment_count: _Optional[int] = ..., patch_count: _Optional[int] = ..., disk_bytes: _Optional[int] = ...) -> None: ...
