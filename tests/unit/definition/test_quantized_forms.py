"""Parameters that are rounded to multiples of a step."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sweeper.definition.parameters import FORMS
from sweeper.definition.quantized_forms import QUANTIZED_FORMS, QLogUniformForm, QUniformForm
from sweeper.space.quantized import Quantized


def made(form: type, **keys: object):
    return form.model_validate({"distribution": form.name(), **keys})


@pytest.mark.parametrize("form", QUANTIZED_FORMS)
def test_a_quantized_form_is_another_form_with_a_step(form):
    """It rounds what that one gives, and adds its step to that one's range."""
    plain = FORMS[form.name().removeprefix("q_")]
    limits = {"min": 1.0, "max": 3.0} if "min" in form.model_fields else {}
    quantized, inner = made(form, q=0.5, **limits), made(plain, **limits)
    assert quantized.to_distribution() == Quantized(inner.to_distribution(), 0.5)
    assert quantized.range_text().endswith(", step 0.5")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"min": 1, "max": 3, "q": 0}, "q 0 is not above 0"),
        ({"min": 1.0, "max": 3.0, "q": 7}, "no multiple of q 7 lies between min and max"),
        ({"min": 3, "max": 1, "q": 7}, "min 3 is not below max 1"),
    ],
)
def test_a_step_that_leaves_nothing_is_a_fault(keys, found):
    """And the only one: limits out of order are not also said to hold no multiple."""
    with pytest.raises(ValidationError) as caught:
        made(QUniformForm, **keys)
    assert [error["msg"] for error in caught.value.errors()] == [found]


def test_a_user_of_wandb_hears_of_values_that_ours_does_not_give():
    """W&B's own rounds out of the limits; where they are multiples, both are the same."""
    [(key, found, _)] = made(QUniformForm, min=1, max=11, q=4).warnings()
    assert (key, "0 and 12" in found) == ("q", True)
    assert list(made(QUniformForm, min=4, max=12, q=4).warnings()) == []
    assert [key for key, *_ in made(QLogUniformForm, min=0, max=2, q=3).warnings()] == ["distribution", "q"]
