import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import memstore
import memstore_client
from memstore.errors import FailedPrecondition, Reason

HEAVY = ("lancedb", "lance", "zarr", "torch", "numba", "pyarrow", "scipy", "PIL")
LEFT_OUT = ("memstore.v1", "memstore.__main__")


def module_names():
    for package in (memstore, memstore_client):
        yield package.__name__
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.startswith(LEFT_OUT):
                yield module.name


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("names", ["memstore, memstore_client", "memstore_client.aio"])
def test_the_door_loads_nothing_heavy(names):
    found = run(f"import sys, {names}; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert (found.stdout.strip(), found.stderr) == ("[]", "")


@pytest.mark.parametrize("package", [memstore, memstore_client])
def test_the_door_exports_sorted_names_that_are_there(package):
    assert sorted(package.__all__) == package.__all__
    assert all(getattr(package, name) is not None for name in package.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        memstore.nothing  # noqa: B018


def test_a_missing_extra_is_named_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "memstore.database", raising=False)
    monkeypatch.setitem(sys.modules, "lancedb", None)
    for name in [m for m in sys.modules if m.startswith("memstore.storage")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(FailedPrecondition, match=r"pip install 'memstore\[server\]'") as caught:
        memstore.open  # noqa: B018
    assert caught.value.reason is Reason.MISSING_EXTRA


@pytest.mark.parametrize("name", list(module_names()))
def test_the_examples_in_docstrings_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_python_m_memstore_is_the_command_line():
    found = run(
        "import runpy, sys; sys.argv = ['memstore', '--version']; runpy.run_module('memstore', run_name='__main__')"
    )
    assert found.stdout.strip() == f"memstore {memstore.__version__}"
