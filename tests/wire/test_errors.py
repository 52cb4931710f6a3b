import pickle

import pytest
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from memstore import errors
from memstore.errors import MemstoreError, Reason
from memstore.wire.errors import CODES, error_from_status, error_to_status


def subclasses(kind: type) -> set[type]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__() if child.__module__ == kind.__module__))


ALL = sorted(subclasses(MemstoreError), key=lambda kind: kind.__name__)


def back(error: MemstoreError) -> MemstoreError:
    status = error_to_status(error)
    return error_from_status(status.code, status.message, status.SerializeToString())


def test_every_class_has_a_code():
    assert set(CODES) == set(ALL)


@pytest.mark.parametrize("kind", ALL)
def test_every_class_comes_back_as_itself(kind):
    error = kind("asked, found, do", text="a", number=2.5, count=3, truth=True, large=-(1 << 62))
    again = back(error)
    assert type(again) is kind
    assert (again.message, again.reason, again.details) == (error.message, error.reason, error.details)
    assert {k: type(v) for k, v in again.details.items()} == {k: type(v) for k, v in error.details.items()}
    assert type(pickle.loads(pickle.dumps(again))) is kind


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_comes_back(reason):
    assert back(errors.FailedPrecondition("x", reason=reason)).reason is reason


def test_a_reason_from_the_future_becomes_the_reason_of_the_class():
    status = error_to_status(errors.NotFound("x"))
    info = ErrorInfo()
    status.details[0].Unpack(info)
    info.reason = "NEW_WORD"
    status.details[0].Pack(info)
    again = error_from_status(status.code, status.message, status.SerializeToString())
    assert type(again) is errors.NotFound
    assert again.reason is Reason.NOT_FOUND


def test_a_subclass_from_elsewhere_travels_as_what_it_is_a_kind_of():
    class Odd(errors.Conflict):
        pass

    assert type(back(Odd("x"))) is errors.Conflict


def test_a_bad_field_is_told_in_googles_words_too():
    status = error_to_status(errors.InvalidInput("no good", field="camera.fx"))
    bad = BadRequest()
    assert any(detail.Unpack(bad) for detail in status.details)
    assert bad.field_violations[0].field == "camera.fx"


def test_a_wait_is_told_in_googles_words_too():
    status = error_to_status(errors.Unavailable("later", retry_after_s=1.5))
    retry = RetryInfo()
    assert any(detail.Unpack(retry) for detail in status.details)
    assert retry.retry_delay.ToMilliseconds() == 1500


@pytest.mark.parametrize("letter", ["x", "ü", "\N{GRINNING FACE}", "\ud800"])
def test_nothing_makes_a_status_larger_than_4_kib(letter):
    error = errors.InvalidInput(letter * 9000, field=letter * 5000, **{f"fact_{i}": letter * 900 for i in range(60)})
    status = error_to_status(error)
    assert status.ByteSize() <= 4096
    assert type(error_from_status(status.code, status.message, status.SerializeToString())) is errors.InvalidInput


@pytest.mark.parametrize("code", sorted(set(Code.values()) - {0}))
def test_every_code_without_details_becomes_some_error(code):
    again = error_from_status(code, "the message", None)
    assert isinstance(again, MemstoreError)
    assert again.message == "the message"


def test_a_garbled_trailer_is_no_obstacle():
    assert type(error_from_status(5, "gone", b"\xff\xfe garbage")) is errors.NotFound
