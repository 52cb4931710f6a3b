from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Commit(_message.Message):
    __slots__ = ("commit", "parents", "operation", "message", "author", "time_s", "request_id", "frame_count")
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    TIME_S_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    commit: str
    parents: _containers.RepeatedScalarFieldContainer[str]
    operation: str
    message: str
    author: str
    time_s: float
    request_id: str
    frame_count: int
    def __init__(self, commit: _Optional[str] = ..., parents: _Optional[_Iterable[str]] = ..., operation: _Optional[str] = ..., message: _Optional[str] = ..., author: _Optional[str] = ..., time_s: _Optional[float] = ..., request_id: _Optional[str] = ..., frame_count: _Optional[int] = ...) -> None: ...

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
