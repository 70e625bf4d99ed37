"""The style of figures: both grounds, and nothing from elsewhere."""

from __future__ import annotations

import re

from sweeper.figures.style import SHADES, STYLE


def test_every_colour_has_a_dark_counterpart():
    """What is drawn in light is drawn in dark."""
    light, dark = STYLE.split("@media (prefers-color-scheme:dark)")
    names = set(re.findall(r"(--fig-[a-z0-9]+):", light))
    assert names == set(re.findall(r"(--fig-[a-z0-9]+):", dark.partition("}}")[0]))
    assert {f"--fig-v{i}" for i in range(SHADES)} <= names
    assert set(re.findall(r"var\((--fig-[a-z0-9]+)\)", STYLE)) <= names


def test_the_style_asks_for_nothing():
    """No font, no picture, no other style is loaded."""
    assert "url(" not in STYLE
    assert "@import" not in STYLE
