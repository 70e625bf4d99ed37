"""axe-core, which looks for what keeps people with a screen reader, or without a mouse, out of a page."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from sweeper.server.pages import vendor
from sweeper.server.pages.vendor import Library
from tests.browser.browsing import Tab
from tests.conftest import ROOT

FOLDER = ROOT / ".cache" / "axe"
AXE = Library("axe-core", "4.14.1", {"axe.min.js": "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"})


@cache
def _source() -> str:
    try:
        vendor.fetch(FOLDER, [AXE])
    except vendor.VendorError as error:
        pytest.skip(f"axe is not here and cannot be fetched: {error}")
    return (FOLDER / "axe.min.js").read_text(encoding="utf-8")


def violations(tab: Tab) -> list[str]:
    """Look at a page as it is now; say what is wrong and where."""
    # evaluated by the debugger, which the page's policy does not bind
    if not tab.page.evaluate("typeof window.axe === 'object'"):
        tab.page.evaluate(_source() + "; 0")
    found: Any = tab.page.evaluate("axe.run({ resultTypes: ['violations'], iframes: false }).then((r) => r.violations)")
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for one in found
        for node in one["nodes"][:4]
    ]
