"""The tree of errors: what it holds for people, for programs and for other processes."""

from __future__ import annotations

import inspect
import pickle

import pytest

from memstore import errors
from memstore.errors import MemstoreError, Reason

CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, MemstoreError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_keeps_message_reason_and_details(kind):
    error = kind("asked, found, do", world="museum", count=3)
    assert str(error) == error.message == "asked, found, do"
    assert error.reason is kind.default_reason
    assert dict(error.details) == {"world": "museum", "count": 3}


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_survives_the_way_to_another_process(kind):
    error = pickle.loads(pickle.dumps(kind("lost", reason=Reason.DRAINING, seconds=1.5)))
    assert type(error) is kind
    assert (str(error), error.reason, dict(error.details)) == ("lost", Reason.DRAINING, {"seconds": 1.5})


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_is_drawn_in_the_tree_of_the_docstring(kind):
    assert kind.__name__ in (errors.__doc__ or "")


def test_every_class_has_a_reason_of_its_own():
    reasons = [kind.default_reason for kind in CLASSES if kind is not MemstoreError]
    assert len(set(reasons)) == len(reasons)


def test_errors_are_caught_as_the_builtins_that_they_are():
    assert issubclass(errors.InvalidInput, ValueError)
    assert issubclass(errors.NotFound, KeyError)
    for kind in (errors.LatentSpecMismatch, errors.TooManyAffected, errors.ReadOnly):
        assert issubclass(kind, errors.FailedPrecondition)


def test_a_missing_name_is_said_without_the_quotes_of_a_key_error():
    assert (
        str(errors.NotFound("no world 'park'; there are museum, garden."))
        == "no world 'park'; there are museum, garden."
    )


def test_reasons_are_their_own_words():
    assert all(reason.value == reason.name for reason in Reason)
    assert f"{Reason.HEAD_MOVED}" == "HEAD_MOVED"
