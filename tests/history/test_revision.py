import pytest

from memstore.errors import InvalidInput, NotFound, Reason


def test_ids_prefixes_tags_and_branches_mean_commits(place):
    head = place.world.head
    place.world.tag("v1")
    place.world.branch("night", create=True)
    place.hide(range(5))
    for revision in (head, head[:4], head[:12], "v1", "night"):
        assert place.world.show(revision).commit == head
        assert place.world.at(revision).head == head
    assert place.world.show().commit == place.world.head
    assert place.world.at(head).show().commit == head


def test_a_revision_that_means_nothing_is_named_with_the_nearest(place):
    place.world.tag("night")
    with pytest.raises(NotFound, match=r"no commit, branch or tag 'nigth' .* the nearest names are night") as caught:
        place.world.at("nigth")
    assert caught.value.reason is Reason.COMMIT_NOT_FOUND
    head = place.world.head
    with pytest.raises(NotFound, match="no commit, branch or tag"):
        place.world.show(head[:3])
    with pytest.raises(NotFound, match="no commit, branch or tag"):
        place.world.show("../" + head[:8])


def test_a_prefix_that_two_commits_share_asks_for_more_digits(place):
    seen = {}
    while True:
        commit = place.hide([len(seen) % 40])
        if commit[:2] in seen:
            break
        seen[commit[:2]] = commit
    starting = place.branch().store.commits.starting(commit[:2])
    assert {commit, seen[commit[:2]]} <= {name for name, _ in starting}


def test_several_commits_under_one_prefix_are_refused(place, monkeypatch):
    commits = place.branch().store.commits
    found = [(step.commit, commits.read(step.commit)) for step in place.world.log()[:2]]
    monkeypatch.setattr(type(commits), "starting", lambda self, prefix: found)
    with pytest.raises(InvalidInput, match=r"2 commits of 'hall' begin with 'abcd': .*; give more digits"):
        place.world.show("abcd")


def test_commits_of_other_worlds_are_not_meant(place):
    other = place.db.create_world("other")
    with pytest.raises(InvalidInput, match="belongs to another world than 'hall'"):
        place.world.at(other.head)
    with pytest.raises(NotFound, match="no commit, branch or tag"):
        place.world.at(other.head[:10])
