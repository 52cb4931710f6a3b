import pytest

from memstore.cli import bench

BENCHMARK = '''"""Counts what it is given."""


def run(arguments):
    return {"argument_count": len(arguments), "first": {"word": arguments[0] if arguments else None}}
'''


@pytest.fixture
def benchmarks(tmp_path, monkeypatch):
    folder = tmp_path / "bench_of_a_checkout"
    folder.mkdir()
    (folder / "counting.py").write_text(BENCHMARK)
    (folder / "_shared.py").write_text("")
    monkeypatch.setattr(bench, "_benchmarks", lambda: folder)


@pytest.mark.usefixtures("benchmarks")
def test_benchmarks_are_listed_with_their_first_line(memstore):
    assert memstore("bench", "--json").json == {"counting": "Counts what it is given."}


@pytest.mark.usefixtures("benchmarks")
def test_a_benchmark_gets_what_it_alone_knows(memstore):
    figures = memstore("bench", "counting", "--frames", "100", "--json").json
    assert figures == {"argument_count": 2, "first": {"word": "--frames"}}


@pytest.mark.usefixtures("benchmarks")
def test_figures_are_shown_by_name(memstore):
    assert "first.word" in memstore("bench", "counting").out


@pytest.mark.usefixtures("benchmarks")
def test_an_unknown_benchmark_names_those_there_are(memstore):
    answer = memstore("bench", "speed")
    assert answer.code == 3
    assert "counting" in answer.err


def test_an_installation_without_tests_says_so(memstore, monkeypatch, tmp_path):
    import memstore as package

    monkeypatch.setattr(package, "__file__", str(tmp_path / "site-packages" / "memstore" / "__init__.py"))
    answer = memstore("bench")
    assert answer.code == 11
    assert "clone it" in " ".join(answer.err.split())
