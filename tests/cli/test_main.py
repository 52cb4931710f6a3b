import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import memstore as package
from memstore.cli import demo, main

COMMANDS = [
    *("demo", "ingest", "retrieve", "serve", "info", "verify", "migrate", "collect", "bench"),
    *(f"world {verb}" for verb in ("create", "list", "show", "delete", "undelete", "export", "import")),
    *(f"clip {verb}" for verb in ("doom", "convert", "show")),
    *("layers", "select", "pick", "stitch", "flatten"),
    *(f"edit {verb}" for verb in ("delete", "duplicate", "relocate", "invert", "name", "show", "hide", "restore")),
    *("edit concatenate", "edit script"),
    *("log", "show", "diff", "blame", "undo", "redo", "revert", "merge", "reset", "dropped"),
    *(f"{name} {verb}" for name in ("branch", "tag") for verb in ("list", "create", "delete")),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_answers_in_json(memstore, command):
    answer = memstore(*command.split(), "--help")
    assert answer.code == 0
    assert "--json" in answer.out
    assert "\\b" not in answer.out


def test_help_loads_no_engine():
    heavy = "lancedb", "zarr", "numba", "grpc", "scipy", "av", "skimage"
    program = (
        "import sys\nfrom memstore.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")


def test_the_help_says_each_command_in_one_line(memstore, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = memstore("--help").out
    listed = [line for line in shown.splitlines() if line.startswith("│ ")]
    assert shown.index("Memory") < shown.index("Editing") < shown.index("History") < shown.index("Upkeep")
    names = {command.split()[0] for command in COMMANDS}
    told = [line.split()[1] for line in listed if line.split()[1] in names]
    assert sorted(told) == sorted(names)


def test_the_version_is_printed(memstore):
    assert memstore("--version").out == f"memstore {package.__version__}\n"


@pytest.mark.parametrize(
    "words", [("nosuch",), ("world", "show"), ("info", "--colour"), ("ingest", "a", "b", "--start", "x")]
)
def test_a_wrong_command_line_exits_with_2_and_points_at_help(memstore, words):
    answer = memstore(*words)
    assert answer.code == 2
    assert "--help" in answer.err
    assert memstore(*words, "--json").json["error"]["kind"] == "InvalidInput"


def test_nothing_at_all_shows_help(memstore):
    assert "Usage: memstore" in memstore().out


def test_debug_shows_where_an_error_comes_from(tmp_path):
    with pytest.raises(package.errors.NotFound, match="there is no database"):
        main(["info", "--db", str(tmp_path / "none"), "--debug"])


def test_a_bug_is_told_as_a_bug(memstore, monkeypatch):
    monkeypatch.setattr("memstore.cli.place.is_address", lambda _: 1 / 0)
    answer = memstore("info")
    assert answer.code == 70
    assert "ZeroDivisionError" in answer.err
    assert "--debug" in answer.err


def test_a_missing_package_names_the_extra(tmp_path):
    program = "import sys\nsys.modules['skimage'] = None\nfrom memstore.cli import main\nmain(sys.argv[1:])"
    words = [sys.executable, "-c", program, "demo", "--out", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert "pip install 'memstore[demo]'" in done.stderr


def test_a_picture_that_cannot_be_written_is_told(memstore, clip, tmp_path):
    (tmp_path / "file").write_text("")
    answer = memstore("clip", "show", clip, "--out", tmp_path / "file" / "sheet.png")
    assert answer.code == 2
    assert "cannot write the picture" in " ".join(answer.err.split())


def test_serve_says_where_it_listens_and_leaves_on_sigterm(folder, clip, memstore, tmp_path):
    memstore("ingest", clip, "museum", "--create", "--db", folder)
    words = [sys.executable, "-m", "memstore", "serve", str(folder), "--json"]
    listen = ["--listen", "127.0.0.1:0", "--listen", f"unix:{tmp_path / 's'}"]
    with subprocess.Popen(
        [*words, *listen], stdout=subprocess.PIPE, text=True, cwd=Path(package.__file__).parents[1]
    ) as server:
        told = json.loads(server.stdout.readline())
        for address in told["addresses"]:
            listed = memstore("world", "list", "--db", address, "--json").json
            assert [world["name"] for world in listed] == ["museum"]
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0


def test_serve_wants_both_halves_of_tls(memstore, folder):
    answer = memstore("serve", folder, "--tls-key", "key.pem")
    assert answer.code == 2
    assert "both" in answer.err


def test_the_demo_is_told_its_stage_by_the_environment(memstore, monkeypatch):
    monkeypatch.setenv("STAGE", "nosuch")
    answer = memstore("demo")
    assert answer.code == 2
    assert "memory" in answer.err
    assert demo.StageName.__args__ == ("memory", "edit", "all")
