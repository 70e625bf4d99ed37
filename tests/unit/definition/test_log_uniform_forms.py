"""Log-uniform parameters: limits that are values, and limits that are exponents of e."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sweeper.definition.log_uniform_forms import (
    InvLogUniformForm,
    InvLogUniformValuesForm,
    LogUniformForm,
    LogUniformValuesForm,
)


def faults(form: type, **limits: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        form.model_validate({"distribution": form.name(), **limits})
    return [error["msg"] for error in caught.value.errors()]


@pytest.mark.parametrize("form", [LogUniformValuesForm, InvLogUniformValuesForm])
def test_values_are_not_taken_for_exponents(form):
    """A negative limit was meant as one, 0 has no logarithm; both are told apart, beside a fault in `max` too."""
    assert faults(form, min=-9, max=-2) == ["min -9 is negative: give values, not exponents"]
    assert faults(form, min=0, max=1) == ["min is 0, which has no logarithm"]
    assert "min is 0, which has no logarithm" in faults(form, min=0, max="x")


@pytest.mark.parametrize("form", [LogUniformForm, InvLogUniformForm])
@pytest.mark.parametrize(("low", "high"), [(0.001, 0.1), (0, 300), (-300, 0)])
def test_exponents_are_not_taken_for_values(form, low, high):
    """A small positive range, or what no parameter reaches, was meant as values."""
    [found] = faults(form, min=low, max=high)
    assert "exponents of e here" in found


@pytest.mark.parametrize(
    ("form", "text"), [(LogUniformForm, "0.0497871 to 7.38906"), (InvLogUniformForm, "0.135335 to 20.0855")]
)
def test_exponents_are_shown_as_values_and_warned_of(form, text):
    """The table says what is searched, the warning what to write."""
    made = form.model_validate({"distribution": form.name(), "min": -3.0, "max": 2.0})
    assert made.range_text() == text
    [(key, found, fix)] = made.warnings()
    assert key == "distribution"
    assert "exponents of e" in found
    assert "`distribution: log_uniform_values`" in fix


def test_values_need_no_warning():
    """They are the form to use."""
    made = LogUniformValuesForm.model_validate({"distribution": "log_uniform_values", "min": 0.001, "max": 1})
    assert (made.range_text(), list(made.warnings())) == ("0.001 to 1", [])
