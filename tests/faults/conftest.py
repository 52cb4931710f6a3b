"""Other processes, forked from one that has memstore loaded: loading it anew for each takes three seconds."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext

import pytest


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Makes processes that can be killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "memstore.database", "faults.place"])
    return context
