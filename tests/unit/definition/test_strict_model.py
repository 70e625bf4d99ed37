"""What every model of a sweep file shares: all faults at once, and rules that say which fields they read."""

from __future__ import annotations

from functools import cached_property

import pytest
from pydantic import ValidationError

from sweeper.definition.strict_model import Count, Faults, Number, StrictModel, as_number, reads, rule


class Limits(StrictModel):
    """Two numbers in order, and one that is apart."""

    low: Number
    """The one."""
    high: Number
    """The other."""
    size: Count = 1
    """A third."""

    @cached_property
    def width(self) -> float:
        """What lies between."""
        return self.high - self.low

    @reads("low", "high")
    def _check_ordered(self) -> Faults:
        if self.width <= 0:
            yield rule("not in order", "swap them", "low")

    @reads("size")
    def _check_small(self) -> Faults:
        if self.size > 9:
            yield rule("too many", "take fewer", "size")


def faults(model: type[StrictModel], data: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return [error["msg"] for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"low": 2, "high": 1, "size": 10}, ["too many", "not in order"]),
        ({"low": 2, "high": 1, "size": "x"}, ["'x' is not a number", "not in order"]),
        ({"low": "x", "high": 1, "size": 10}, ["'x' is not a number", "too many"]),
        ({"high": 1, "size": 10}, ["has no `low`", "too many"]),
        ({"low": "x", "high": 1}, ["'x' is not a number"]),
        ({"low": 2, "high": 1, "lo": 3}, ["unknown key", "not in order"]),
    ],
)
def test_a_rule_is_skipped_only_for_the_fields_that_it_reads(data, found):
    """A fault elsewhere hides nothing; one in its own fields, or their lack, leaves nothing to judge."""
    assert faults(Limits, data) == found


def test_what_is_right_keeps_its_fields_and_what_rules_have_computed():
    """The views that rules look at leave the model whole."""
    made = Limits.model_validate({"low": 1, "high": 3})
    assert (made.low, made.high, made.size, made.width) == (1, 3, 1, 2)
    assert made.model_fields_set == {"low", "high"}
    assert made == Limits(low=1, high=3)


def test_a_subclass_inherits_rules_and_overrides_them():
    """An override replaces the rule, and its own declaration counts."""

    class Wide(Limits):
        """Limits that need no order."""

        margin: Number = 0
        """What is added."""

        @reads("margin")
        def _check_ordered(self) -> Faults:
            if self.margin < 0:
                yield rule("no margin", "take more", "margin")

    assert faults(Wide, {"low": 2, "high": 1, "size": 10, "margin": -1}) == ["no margin", "too many"]
    assert Wide.model_validate({"low": 2, "high": 1}).margin == 0


def test_a_rule_that_misspells_a_field_fails():
    """Whatever the file: it must not pass for one whose field is missing."""

    class Misspelt(StrictModel):
        """A model whose rule is wrong."""

        low: Number = 0
        """A number."""

        @reads("low")
        def _check_low(self) -> Faults:
            if self.lwo < 0:
                yield rule("negative", "take more", "low")

    for data in ({}, {"low": 1}, {"low": 1, "x": 2}):
        with pytest.raises(AttributeError, match="lwo"):
            Misspelt.model_validate(data)


def test_a_rule_that_reads_what_it_does_not_declare_fails():
    """Also where that field is right, and also by way of a property: else a fault in it would raise for a user."""

    class Silent(Limits):
        """A model whose rule is wrong."""

        @reads("size")
        def _check_size_fits(self) -> Faults:
            if self.size > self.width:
                yield rule("too large", "take less", "size")

    with pytest.raises(AttributeError, match=r"low|high"):
        Silent.model_validate({"low": 1, "high": 3})


@pytest.mark.parametrize(
    ("fields", "message"),
    [((), "_check_it does not declare what it reads"), (("lwo",), "_check_it reads lwo: the model has no such field")],
)
def test_a_class_whose_rule_declares_nothing_or_what_is_not_there_cannot_be_made(fields, message):
    """The mistake shows at the import, not in some user's file."""
    with pytest.raises(TypeError, match=message):

        class Wrong(Limits):
            """A model whose rule cannot work."""

            @reads(*fields)
            def _check_it(self) -> Faults:
                yield from ()


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e-5", "1.0e-5"), ("3e6", "3000000.0"), ("008", "8"), ("1e400", None), ("nan", None), ("x", None), (3, None)],
)
def test_a_text_that_was_meant_as_a_number_is_spelled_for_yaml(text, number):
    """YAML 1.1 wants a point and a sign; what no float holds is no number."""
    assert as_number(text) == number
