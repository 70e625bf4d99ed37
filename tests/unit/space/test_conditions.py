"""Conditions by name and by group, and configurations that leave parameters open."""

from __future__ import annotations

import pytest

from sweeper.space import conditions
from sweeper.space.distributions import Categorical
from sweeper.space.parameter_space import ParameterSpace

ONE_OR_TWO = Categorical((1, 2))
NAMES = ("opt", "mom", "momentum", "g.x", "g.y.z", "g.h.w")
PATHS = {"g.x": ("g", "x"), "g.y.z": ("g", "y.z"), "g.h.w": ("g", "h", "w")}
SPACE = ParameterSpace(dict.fromkeys(NAMES, ONE_OR_TWO), {name: PATHS.get(name, (name,)) for name in NAMES})


@pytest.mark.parametrize(
    ("name", "found"),
    [("mom", ["mom"]), ("g", ["g.x", "g.y.z", "g.h.w"]), ("g.h", ["g.h.w"]), ("g.x", ["g.x"]), ("x", [])],
)
def test_a_name_stands_for_a_parameter_or_for_all_of_a_group(name, found):
    """`mom` is not `momentum`, though that begins like it."""
    assert conditions.members(name, SPACE) == found


def test_the_groups_are_those_of_the_file():
    """A parameter's own dots make none: `y.z` is one key."""
    assert conditions.groups(SPACE) == ["g", "g.h"]


def test_the_conditions_of_a_group_are_those_of_its_members():
    """Where both ask about one parameter, only values that both allow are left; a lone value is a list of one."""
    given = {"g": {"opt": [1, 2], "mom": 1}, "g.x": {"opt": [2, 3], "momentum": 2}}
    assert conditions.expand(given, SPACE) == {
        "g.x": {"opt": (2,), "mom": (1,), "momentum": (2,)},
        "g.y.z": {"opt": (1, 2), "mom": (1,)},
        "g.h.w": {"opt": (1, 2), "mom": (1,)},
    }


def test_values_that_two_conditions_allow_are_compared_as_in_json():
    """`true` is not `1`, and `1.0` is."""
    given = {"g": {"opt": [True, 2]}, "g.x": {"opt": [1, 2.0]}}
    assert conditions.expand(given, SPACE)["g.x"] == {"opt": (2.0,)}


@pytest.mark.parametrize(
    ("given", "members"),
    [
        ({"a": ["b"], "b": ["c"]}, set()),
        ({"a": ["a"]}, {"a"}),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, {"b", "c"}),
    ],
)
def test_a_circle_is_found_whole(given, members):
    """Each of its parameters once, and none that only leads into it."""
    circle = conditions.cycle(given)
    assert set(circle) == members
    assert len(circle) == len(members)


@pytest.mark.parametrize("point", [{"g": {"x": 1, "y.z": 2, "h": {"w": 3}}}, {"g.x": 1, "g": {"y.z": 2}, "g.h.w": 3}])
def test_a_configuration_may_be_nested_or_dotted(point):
    """As in a run's config, or as in the table of runs."""
    assert conditions.point_params(point, SPACE) == {"g.x": 1, "g.y.z": 2, "g.h.w": 3}


def test_a_mapping_that_is_no_group_is_a_value():
    """Parameters may have mappings as values."""
    assert conditions.point_params({"opt": {"lr": 1}}, SPACE) == {"opt": {"lr": 1}}


def test_what_excludes_a_parameter_is_named():
    """The other parameter whose given value leaves no place for it; one that is not given excludes nothing."""
    conditional = ParameterSpace(SPACE.distributions, SPACE.paths, {"mom": {"opt": (2,), "momentum": (1,)}})
    assert conditions.excluding("mom", {"opt": 1}, conditional) == "opt"
    assert conditions.excluding("mom", {"opt": 2, "momentum": 2}, conditional) == "momentum"
    assert conditions.excluding("mom", {"opt": 2}, conditional) is None
    assert conditions.excluding("opt", {"mom": 1}, conditional) is None
