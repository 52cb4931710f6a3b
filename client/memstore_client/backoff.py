"""When to try a broken stream again."""

from __future__ import annotations

import time

from memstore.errors import MemstoreError, Unavailable
from memstore_client.options import TransportOptions


class Backoff:
    """Waits that grow threefold from try to try, until `resume_s` have passed without progress."""

    def __init__(self, options: TransportOptions) -> None:
        """Begins with the first wait."""
        self._options = options
        self._wait_s = options.first_retry_s
        self._since = time.monotonic()

    def progressed(self) -> None:
        """Begins anew: something came."""
        self._wait_s = self._options.first_retry_s
        self._since = time.monotonic()

    def wait_after(self, error: MemstoreError) -> float:
        """Returns the seconds to wait before the next try.

        Raises:
            MemstoreError: `error` itself, when trying again is of no use or has been done for long enough.
        """
        if not isinstance(error, Unavailable) or time.monotonic() - self._since > self._options.resume_s:
            raise error
        wait_s = self._wait_s
        self._wait_s = min(3 * wait_s, self._options.longest_retry_s)
        return wait_s
