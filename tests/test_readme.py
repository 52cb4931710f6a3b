import re
from pathlib import Path

import pytest

import memstore as ms
from memstore.service import BackgroundServer

README = Path(__file__).parent.parent / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_readme_runs_from_top_to_bottom(tmp_path, monkeypatch, walk):
    monkeypatch.chdir(tmp_path)
    ms.write_clip(tmp_path / "clip", walk(8, 128, 96))
    remembered, edited, served = blocks("python")
    names: dict[str, object] = {}
    exec(compile(remembered, "README.md, remembered", "exec"), names)
    assert names["museum"].describe().frame_count == 8
    assert names["mosaic"].latents().shape[1] == 192
    exec(compile(edited, "README.md, edited", "exec"), names)
    with ms.open(tmp_path / "worlds") as db, BackgroundServer(db) as server:
        assert "localhost:7070" in served
        exec(compile(served.replace("localhost:7070", server.address), "README.md, served", "exec"), names)


@pytest.mark.parametrize(
    "line", [line for block in blocks("bash") for line in block.splitlines() if line.startswith("memstore ")]
)
def test_every_command_of_the_readme_exists(line):
    from typer.main import get_command

    from memstore.cli.app import app

    words = line.split("#")[0].split()[1:]
    command = get_command(app)
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), f"{line} names no command"
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known | {"--json"}
