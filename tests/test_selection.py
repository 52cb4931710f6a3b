"""Selections are values: they combine, compare, and refuse nonsense in words."""

import numpy as np
import pytest

import memstore as ms
from memstore.errors import InvalidInput
from memstore.selection import And, Made, Not, Or

A, B = ms.Sphere((0, 0, 0), 1), ms.Kinds("sky")


def test_selections_combine_by_and_or_and_not():
    assert And((A, B)) == (A & B)
    assert Or((A, B)) == (A | B)
    assert Not(A) == ~A
    assert Or((And((A, Not(B))), ms.Everything())) == (A & ~B | ms.Everything())


def test_equal_selections_are_equal_and_hash_alike():
    pairs = [
        (ms.PatchIds([3, 1, 3]), ms.PatchIds(np.array([1, 3], np.int64))),
        (ms.Layers("chair"), ms.Layers(["chair"])),
        (ms.Kinds("sky"), ms.Kinds(("sky",))),
        (ms.Frames([1, 2]), ms.Frames((1, 2))),
        (~ms.Ordinals(0, 3), ~ms.Ordinals(0, 3)),
    ]
    for one, other in pairs:
        assert one == other
        assert hash(one) == hash(other)
    assert ms.PatchIds([1]) != ms.PatchIds([1], "chair")
    assert ms.PatchIds([1]) != ms.PatchIds([2])
    assert ms.PatchIds([1]) != ms.Frames([1])


def test_patch_ids_are_kept_sorted_each_once():
    ids = ms.PatchIds([2**40 + 7, 5, 5]).ids
    assert ids.tolist() == [5, 2**40 + 7]
    assert ids.dtype == np.uint64
    assert ms.PatchIds([]).ids.tolist() == []


@pytest.mark.parametrize("ids", [[0.5], [[1, 2]], ["a"], [-1, 4], [True], 7])
def test_ids_that_are_no_list_of_whole_numbers_are_refused(ids):
    with pytest.raises(InvalidInput, match=r"patch ids (must be a list of whole numbers|are at least 0)"):
        ms.PatchIds(ids)


@pytest.mark.parametrize("names", [(), "", ("chair", "")])
def test_layers_need_names(names):
    with pytest.raises(InvalidInput, match="layers are selected by one name or more"):
        ms.Layers(names)


@pytest.mark.parametrize("kinds", [(), "water", ("sky", "water")])
def test_kinds_are_those_there_are(kinds):
    with pytest.raises(InvalidInput, match="kinds are observed, placed, generated, sky; got"):
        ms.Kinds(kinds)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ms.Frames(()), "one ordinal or more"),
        (lambda: ms.Frames((1.5,)), "ordinals must be whole numbers"),
        (lambda: ms.Frames(("x",)), "ordinals must be whole numbers"),
        (lambda: ms.Frames((float("inf"),)), "ordinals must be whole numbers"),
        (lambda: ms.Ordinals(5, 5), r"stop must lie above start \(5\), got 5"),
        (lambda: ms.Ordinals(5, 2), "stop must lie above start"),
        (lambda: ms.Ordinals(0.5, 2), "must be whole numbers"),
        (lambda: Made(-1), "operations are counted from 0, got -1"),
        (lambda: Made(0.5), "operation must be whole numbers"),
        (lambda: And((A,)), "join two selections or more, got 1"),
        (lambda: Or(()), "join two selections or more, got 0"),
        (lambda: A & "chair", "str is no selection; use a shape, PatchIds"),
        (lambda: A | None, "NoneType is no selection"),
        (lambda: Not("chair"), "str is no selection"),
    ],
)
def test_nonsense_is_refused_in_words(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


def test_whole_numbers_of_any_kind_are_taken():
    assert ms.Frames(np.array([1, 2])).ordinals == (1, 2)
    assert ms.Frames((1.0,)) == ms.Frames((1,))
    assert ms.Ordinals(np.int64(-4), 2).start == -4
