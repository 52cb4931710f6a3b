"""`memstore bench`: the benchmarks of a checkout, each a file of tests/benchmarks with `run(arguments) -> figures`."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Annotated, Protocol, cast, runtime_checkable

import typer

from memstore.cli.output import AsJson, Json, answer, listing, two_columns
from memstore.errors import NotFound, NotImplementedHere

PASS_ON = {"ignore_unknown_options": True}
"""Everything that `bench` does not know goes on to the benchmark."""


@runtime_checkable
class Benchmark(Protocol):
    """What a file of tests/benchmarks offers."""

    def run(self, arguments: list[str]) -> Mapping[str, Json]:
        """Measures and returns figures by name, units in the names; `arguments` are what followed on the line."""
        ...


def bench(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which; leave it out to list them.")] = None,
    arguments: Annotated[list[str] | None, typer.Argument(help="What goes on to the benchmark.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure speed and size on this machine.

    Further options go to the benchmark.

    \b
    Examples:
      memstore bench
      memstore bench ingest --json
    """
    folder = _benchmarks()
    if name is None:
        known = {path.stem: _first_line(path) for path in _files(folder)}
        answer(known, listing(("benchmark", "what it measures"), known.items(), "There are none."), as_json=as_json)
        return
    figures = _load(folder, name).run(arguments or [])
    answer(figures, two_columns(f"bench {name}", _flat(figures)), as_json=as_json)


def _benchmarks() -> Path:
    import memstore

    folder = Path(memstore.__file__).parent.parent / "tests" / "benchmarks"
    if not folder.is_dir():
        raise NotImplementedHere(
            f"benchmarks come with a checkout of the repository, and there are none at {folder}; clone it and install "
            "it with: pip install -e '.[dev]'."
        )
    return folder


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if not path.stem.startswith("_"))


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def _load(folder: Path, name: str) -> Benchmark:
    known = [path.stem for path in _files(folder)]
    if name not in known:
        raise NotFound(f"there is no benchmark {name!r}; there are {', '.join(known) or 'none yet'}.", benchmark=name)
    # Benchmarks share files: they are loaded as parts of one package.
    sys.path.insert(0, str(folder.parent))
    try:
        module: ModuleType = importlib.import_module(f"{folder.name}.{name}")
    finally:
        sys.path.remove(str(folder.parent))
    return cast("Benchmark", module)


def _flat(figures: Mapping[str, Json], prefix: str = "") -> dict[str, object]:
    """Returns figures of figures under names with dots."""
    flat: dict[str, object] = {}
    for name, figure in figures.items():
        if isinstance(figure, dict):
            flat |= _flat(figure, f"{prefix}{name}.")
        else:
            flat[prefix + name] = f"{figure:,.4g}" if isinstance(figure, float) else figure
    return flat
