import io
import json

import pytest

from memstore.cli.script import naming_steps, read_script
from memstore.errors import InvalidInput, NotFound, Reason
from memstore.operation import HideLayers, Relocate
from memstore.selection import Layers
from memstore.transform import Transform

CHAIR = {"layers": {"names": ["chair"]}}
STEPS = [
    {"relocate": {"selection": CHAIR, "transform": {"translation": {"z": 1.5}}, "pivot": "centroid"}},
    {"hide": {"names": ["table"]}},
]


def written(tmp_path, script):
    path = tmp_path / "script.json"
    path.write_text(script if isinstance(script, str) else json.dumps(script))
    return path


def test_a_script_is_a_list_of_operations_in_the_json_of_the_service(tmp_path):
    moved = Relocate(Layers(("chair",)), Transform.translate(0, 0, 1.5), "centroid")
    assert read_script(written(tmp_path, STEPS)) == [moved, HideLayers(("table",))]


def test_a_script_may_be_piped_in(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(STEPS[1:])))
    assert read_script(tmp_path.__class__("-")) == [HideLayers(("table",))]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("[", "is no JSON"),
        ({"hide": {}}, "should hold a list of operations.* found a dict"),
        ([], "found an empty one"),
        ([STEPS[1], {"remove": {}}], "operation 1 of .* is none: .*remove"),
        ([STEPS[1], "hide"], "operation 1 of .* is none"),
        ([{}], "operation 0 of .*: operation is missing"),
        ([{"delete": {}}], "operation 0 of .* at delete.selection: selection is missing"),
        (
            [STEPS[1], {"delete": {"selection": {"sphere": {"center": {}, "radiusM": -1}}}}],
            "operation 1 of .* at delete.*radius_m",
        ),
    ],
)
def test_what_is_wrong_in_a_script_is_told_with_its_place(tmp_path, script, told):
    with pytest.raises(InvalidInput, match=told):
        read_script(written(tmp_path, script))


def test_a_script_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match=r"there is no script .*none\.json"):
        read_script(tmp_path / "none.json")


def test_an_operation_that_is_refused_is_named(tmp_path):
    with (
        pytest.raises(NotFound, match=r"operation 3 of .*walk.json: no layer") as told,
        naming_steps(tmp_path / "walk.json"),
    ):
        raise NotFound("no layer", reason=Reason.LAYER_NOT_FOUND, operation=3)
    assert told.value.reason == Reason.LAYER_NOT_FOUND
    with pytest.raises(NotFound, match=r"^no world$"), naming_steps(tmp_path / "walk.json"):
        raise NotFound("no world")
