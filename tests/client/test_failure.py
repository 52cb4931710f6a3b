"""Failed calls become memstore's errors."""

import grpc
import pytest

from memstore.errors import DeadlineExceeded, Internal, NotImplementedHere, ResourceLimit, Unavailable
from memstore_client.failure import BROKEN_SEND, error_of


class Failure:
    """A finished call of gRPC, as far as `error_of` looks at it."""

    def __init__(self, code, details):
        self._code, self._details = code, details

    def code(self):
        return self._code

    def details(self):
        return self._details

    def trailing_metadata(self):
        return ()


@pytest.mark.parametrize(
    ("code", "details", "kind", "words"),
    [
        (grpc.StatusCode.UNAVAILABLE, "refused", Unavailable, "no memstore server answers at here"),
        (grpc.StatusCode.INTERNAL, BROKEN_SEND, Unavailable, "broke while sending; try again"),
        (grpc.StatusCode.INTERNAL, "bug", Internal, "failed with INTERNAL: bug"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "", DeadlineExceeded, "did not answer within 2 s"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "too big", ResourceLimit, "raise max_message_bytes"),
        (grpc.StatusCode.UNIMPLEMENTED, "", NotImplementedHere, "knows no Look"),
    ],
)
def test_a_failure_without_details_of_ours_says_what_to_do(code, details, kind, words):
    error = error_of(Failure(code, details), "here", "Look", 2)
    assert type(error) is kind
    assert words in str(error)
