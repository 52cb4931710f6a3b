import inspect
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer

from memstore.cli.spread import spread


@dataclass(frozen=True)
class Size:
    width: Annotated[int, typer.Option(help="Columns.")] = 3
    height: Annotated[int, typer.Option(help="Rows.")] = 2


@dataclass(frozen=True)
class Box(Size):
    depth: Annotated[int, typer.Option(help="Layers.")] = 1


def test_a_group_of_options_stands_for_each_of_its_fields():
    taken = []

    @spread
    def command(name: Annotated[str, typer.Argument()], size: Box, loud: bool = False) -> None:
        taken.append((name, size, loud))

    assert list(inspect.signature(command).parameters) == ["name", "width", "height", "depth", "loud"]
    command(name="a", width=5, height=2, depth=1, loud=True)
    assert taken == [("a", Box(width=5), True)]


def test_a_command_of_groups_is_a_command_of_typer(capsys):
    app = typer.Typer()

    @app.command()
    @spread
    def command(size: Size) -> None:
        """Tells its size."""
        typer.echo(f"{size.width} x {size.height}")

    app(["--width", "7"], standalone_mode=False)
    assert capsys.readouterr().out == "7 x 2\n"
    with pytest.raises(SystemExit):
        app(["--help"])
    assert "Rows." in capsys.readouterr().out
