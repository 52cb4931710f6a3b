import json
import sys

import pytest

from memstore.cli.output import bytes_in_words, counted, listing, print_json, to_json
from memstore.errors import Reason
from memstore.latent import LatentSpec
from memstore.summary import Bounds


def test_values_become_json_by_field():
    assert to_json(Bounds((0, 1, 2), (3, 4, 5))) == {"low": [0, 1, 2], "high": [3, 4, 5]}
    assert to_json({"spec": LatentSpec.pixel()})["spec"]["codec"] == "pixel"
    assert to_json(Reason.CONFLICT) == "CONFLICT"


def test_what_is_not_finite_is_null_so_that_every_reader_takes_it(capsys):
    print_json({"psnr": float("nan"), "depth": [1.5, float("inf")]})
    assert json.loads(capsys.readouterr().out) == {"psnr": None, "depth": [1.5, None]}


def test_names_outside_ascii_stay_as_they_are(capsys):
    print_json({"caption": "Möbel"})
    assert "Möbel" in capsys.readouterr().out


@pytest.mark.parametrize(("count", "words"), [(0, "0 B"), (999, "999 B"), (34_403_085, "34.4 MB"), (5e15, "5000.0 TB")])
def test_bytes_are_said_in_fitting_units(count, words):
    assert bytes_in_words(int(count)) == words


def test_counting_shows_nothing_where_nobody_looks(capsys):
    assert list(counted(range(3), "counting", 3)) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def test_counting_shows_progress_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert list(counted(range(3), "counting", 3)) == [0, 1, 2]
    shown = capsys.readouterr()
    assert "counting" in shown.err
    assert shown.out == ""


def test_a_list_of_nothing_is_a_sentence():
    assert listing(("world",), [], "No world yet.") == "No world yet."
