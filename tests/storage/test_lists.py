from hypothesis import given, settings
from hypothesis import strategies as st

from memstore.storage.lists import FANOUT, Lists
from memstore.storage.objects import Objects


@settings(max_examples=40, deadline=None)
@given(start=st.integers(0, FANOUT * 3), added=st.integers(0, FANOUT * 2 + 3))
def test_a_grown_list_is_the_list_built_at_once(tmp_path_factory, start, added):
    lists = Lists(Objects(tmp_path_factory.getbasetemp() / "never-flushed"))
    grown = lists.of(range(start))
    for i in range(start, start + added):
        grown = lists.appended(grown, i)
    assert list(lists.items(grown)) == list(range(start + added))
    assert lists.length(grown) == start + added
    assert grown == lists.of(range(start + added))


@settings(max_examples=40, deadline=None)
@given(length=st.integers(1, FANOUT**2 + 40), data=st.data())
def test_replacing_items_is_replacing_items(tmp_path_factory, length, data):
    lists = Lists(Objects(tmp_path_factory.getbasetemp() / "never-flushed"))
    changes = data.draw(st.dictionaries(st.integers(0, length - 1), st.text(max_size=3), max_size=5))
    expected = [changes.get(i, i) for i in range(length)]
    assert list(lists.items(lists.replaced(lists.of(range(length)), changes))) == expected


@settings(max_examples=60, deadline=None)
@given(length=st.integers(1, FANOUT**2 + 40), data=st.data())
def test_appending_with_changes_leaves_the_list_built_at_once_and_nothing_else(tmp_path_factory, length, data):
    objects = Objects(tmp_path_factory.mktemp("objects"))
    lists = Lists(objects)
    changes = data.draw(st.dictionaries(st.integers(0, length - 1), st.text(max_size=3), max_size=5))
    before = lists.of(range(length))
    objects.flush()
    known = set(objects.names())
    grown = lists.appended(before, "new", changes)
    objects.flush()
    written = set(objects.names()) - known
    assert grown == lists.of([*(changes.get(i, i) for i in range(length)), "new"])
    objects.flush()
    assert set(objects.names()) - known == written


def test_an_append_to_a_long_list_writes_no_more_than_to_a_short_one(tmp_path):
    objects = Objects(tmp_path)
    lists = Lists(objects)
    root, written = lists.of([]), {}
    for i in range(1_000):
        root = lists.appended(root, [i, 640, None])
        if i % 100 in (98, 99):
            written[i] = objects.flush()
    widest_node = FANOUT * len('"0123456789abcdef0123456789abcdef",')
    assert written[199] < written[999] < 2 * widest_node


def test_a_list_shares_all_but_the_changed_path(tmp_path):
    objects = Objects(tmp_path)
    lists = Lists(objects)
    root = lists.of(range(1_000))
    objects.flush()
    before = set(objects.names())
    lists.replaced(root, {500: "changed"})
    objects.flush()
    assert len(set(objects.names()) - before) == 2
