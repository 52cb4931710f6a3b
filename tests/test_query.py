"""Queries are checked when they are made."""

from __future__ import annotations

import math

import pytest

from memstore.errors import InvalidInput
from memstore.query import MAX_PER_TOKEN, Query


def test_the_edges_of_every_range_are_accepted():
    lowest = Query(per_token=1, budget=1, max_frames=1, near_m=1e-9, far_m=1e-9, min_facing=-1, as_of=0, before=0)
    assert lowest.per_token == 1
    assert Query(per_token=MAX_PER_TOKEN, depth_tolerance=0, radius_tolerance=0).far_m == math.inf


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"per_token": 0}, "per_token must be from 1 to 64, got 0"),
        ({"per_token": 65}, "per_token must be from 1 to 64, got 65"),
        ({"budget": 0}, "budget must be at least 1, or None, got 0"),
        ({"max_frames": 0}, "max_frames must be at least 1, got 0"),
        ({"near_m": 0.0}, "near_m must be a positive number of metres, got 0.0"),
        ({"near_m": math.inf}, "near_m must be a positive number of metres, got inf"),
        ({"near_m": math.nan}, "near_m must be a positive number of metres, got nan"),
        ({"near_m": 2.0, "far_m": 1.0}, r"far_m must be at least near_m \(2.0 m\), got 1.0"),
        ({"far_m": math.nan}, r"far_m must be at least near_m \(0.05 m\), got nan"),
        ({"min_facing": 1.0}, "min_facing must be a cosine from -1 to below 1, got 1.0"),
        ({"min_facing": -1.1}, "min_facing must be a cosine"),
        ({"depth_tolerance": -0.1}, "depth_tolerance must be a share of at least 0, got -0.1"),
        ({"depth_tolerance": math.inf}, "depth_tolerance must be a share of at least 0, got inf"),
        ({"radius_tolerance": math.nan}, "radius_tolerance must be at least 0 radii, got nan"),
        ({"as_of": 1, "as_of_s": 1.0}, "as_of_s must be left out where as_of is given, got 1.0"),
        ({"as_of_s": float("nan")}, "as_of_s must be a finite number of seconds, or None, got nan"),
        ({"as_of": -1}, "as_of must be a frame ordinal of at least 0, or None, got -1"),
        ({"per_token": "4"}, "per_token must be a whole number, got '4'"),
        ({"per_token": None}, "per_token must be a whole number, got None"),
        ({"budget": 2.5}, "budget must be a whole number, got 2.5"),
        ({"near_m": "1"}, "near_m must be a number, got '1'"),
        ({"far_m": None}, "far_m must be a number, got None"),
        ({"before": -1}, "before must be a frame ordinal of at least 0, or None, got -1"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(options, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        Query(**options)
    assert caught.value.details["field"] in options


def test_a_query_comes_from_itself_or_from_options():
    query = Query(per_token=2)
    assert Query.of(query, {}) is query
    assert Query.of(None, {"per_token": 2}) == query
    assert Query.of(None, {}) == Query()


def test_a_query_and_options_together_are_refused():
    with pytest.raises(InvalidInput, match="give either a query or options, got a query and per_token, as_of"):
        Query.of(Query(), {"per_token": 2, "as_of": 1})


def test_an_unknown_option_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInput, match="retrieve knows no option per_tokens; it knows ranking, per_token, budget"):
        Query.of(None, {"per_tokens": 2})
