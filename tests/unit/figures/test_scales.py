"""Scales: places, round numbers, and values of every kind."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sweeper.figures import scales
from sweeper.figures.scales import ListScale, NumberScale, ParameterAxis

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, min_size=1), st.booleans())
def test_any_numbers_have_a_scale(values, log):
    """All values lie within the axis and it has five ticks at most, be they as large or small as floats can be."""
    scale = NumberScale.of(values, log=log, margin=0.05)
    for value in values:
        place = scale.place(value)
        assert place is not None
        assert -1e-6 <= place <= 1 + 1e-6
    ticks = scale.ticks()
    assert len(ticks) <= 5
    assert all(math.isfinite(place) for place, _ in ticks)


def test_every_value_of_a_list_has_its_place():
    """The first and the last too, in the middle of its share; true is not one, and another value has none."""
    listed = ListScale((1, "x", True, None))
    values = [1, "x", True, None, 1.0, 2]
    assert (
        [listed.place(value) for value in values] == listed.places(values) == [0.125, 0.375, 0.625, 0.875, 0.125, None]
    )
    assert ListScale(("only",)).place("only") == 0.5


def test_what_has_no_logarithm_has_no_place_on_its_axis():
    """Nought and below; on a plain axis they have."""
    decades = NumberScale(0.1, 10.0, log=True)
    assert [decades.place(value) for value in (0, 0.0, -1.0)] == [None] * 3
    assert [decades.place(value) for value in (0.1, 1, 10)] == pytest.approx([0.0, 0.5, 1.0])
    assert [NumberScale(0.0, 10.0).place(value) for value in (0, 5, 10, -10)] == [0.0, 0.5, 1.0, -1.0]
    for none in (math.nan, math.inf, -math.inf, True, None, "1", [1]):
        assert NumberScale(0.0, 10.0).place(none) is None


@given(st.lists(FINITE, min_size=1))
@example([10.0, 1e300])
@example([5e-324, 1e-30])
def test_a_robust_scale_is_a_scale(values):
    """However the values lie, most of them are within."""
    scale = scales.robust(values)
    inside = [value for value in values if -1e-6 <= (scale.place(value) or 0) <= 1 + 1e-6]
    assert len(inside) >= 0.9 * len(values) - 1
    assert len(scale.ticks()) <= 5


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0, 1, "0 0.25 0.5 0.75 1"),
        (0.93, 0.987, "0.94 0.96 0.98"),
        (3, 1000, "200 400 600 800 1000"),
        (1e9, 1e9 + 4, "1000000000 1000000001 1000000002 1000000003 1000000004"),
        (0, 3e-7, "0 1e-7 2e-7 3e-7"),
    ],
)
def test_ticks_are_round(low, high, said):
    """People read round numbers; those that are close together are told apart."""
    assert " ".join(text for _, text in NumberScale(low, high).ticks()) == said


def test_of_whole_numbers_only_those_are_written():
    """There is no run one and a quarter."""
    assert [text for _, text in NumberScale(1, 2, whole=True).ticks()] == ["1", "2"]
    assert [text for _, text in NumberScale(1, 27, whole=True).ticks()] == ["5", "10", "15", "20", "25"]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(1e-5, 0.1, "1e-5 0.0001 0.001 0.01 0.1"), (1e-12, 1, "1e-12 1e-9 1e-6 0.001 1"), (0.01, 0.06, "0.01 0.02 0.05")],
)
def test_ticks_of_logarithms_are_powers(low, high, said):
    """A logarithmic axis shows its decades, and of one decade its steps."""
    assert " ".join(text for _, text in NumberScale(low, high, log=True).ticks()) == said


def test_what_is_no_number_has_no_place():
    """NaN, infinities, truths and text are left out and spoil nothing; a huge integer is drawn at the edge."""
    scale = NumberScale.of([1, 2, math.nan, math.inf, None, "x", True])
    assert (scale.low, scale.high) == (1, 2)
    assert [scale.place(value) for value in (math.nan, None, "3", True)] == [None] * 4
    assert NumberScale.of([10**400, 1]).high == scales.LARGEST
    assert NumberScale.of([0, 1], log=True).log is False
    assert NumberScale.of([1, 10], log=True).place(-1) is None


def test_listed_values_stand_in_equal_shares():
    """Categories, truths and lists are told apart as JSON tells them apart; small lists of numbers are sorted."""
    scale = ParameterAxis("a", (True, 1, [8, 16], None, "x")).scale([1, "new"])
    assert isinstance(scale, ListScale)
    assert [text for _, text in scale.ticks()] == ["true", "1", "[8, 16]", "null", "x", "new"]
    assert scale.place([8, 16]) == pytest.approx(2.5 / 6)
    assert scale.place("other") is None
    assert scales.places(scale, [True, "other"]) == [pytest.approx(0.5 / 6), None]
    assert ParameterAxis("b", (64, 16, 32)).scale([16]) == ListScale((16, 32, 64))


def test_a_long_list_of_numbers_is_an_axis_of_numbers():
    """A hundred learning rates need no hundred labels; a hundred words get some."""
    assert isinstance(ParameterAxis("a", tuple(range(100))).scale([1]), NumberScale)
    assert ParameterAxis("a", None, log=True).scale([0.1, 10]) == NumberScale(0.1, 10, log=True)
    assert len(ParameterAxis("a", tuple(f"w{i}" for i in range(100))).scale(["w1"]).ticks()) <= scales.MOST_LISTED
    assert ParameterAxis("a").scale([]) == NumberScale(0, 1)


def test_one_far_value_flattens_nothing():
    """A loss that exploded is left beyond the picture; many orders of magnitude go by logarithms."""
    usual = [0.5 + i / 1000 for i in range(100)]
    assert scales.robust([*usual, 1e9]).high < 2
    assert scales.robust([*usual, 1e9], keep=[1e9]).high > 1e9
    assert scales.robust([10.0**i for i in range(6)]).log
