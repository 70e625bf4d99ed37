"""Pages for everybody: axe finds nothing, in either theme, and a keyboard is enough."""

from __future__ import annotations

import pytest

from tests.browser import axe
from tests.browser.browsing import Tab
from tests.browser.places import MISSING, NAMES, pages_of, tabs_of


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(open_tab, world, name, dark):
    """Names, roles, labels, contrast and order, in every tab of every page."""
    tab = open_tab(dark=dark).goto(pages_of(world)[name])
    found = {}
    for shown in tabs_of(tab):
        tab.show_all()
        found[shown] = axe.violations(tab)
    assert {shown: faults for shown, faults in found.items() if faults} == {}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_where_nobody_is_logged_in_or_nothing_is_there(open_tab, browser, world, dark):
    """The form for the key, and the page for an address that is none."""
    tab = open_tab(dark=dark).goto(f"/{MISSING}")
    assert axe.violations(tab) == []
    tab.faults.clear()  # the status 404 of the page itself
    stranger = browser.new_context(color_scheme="dark" if dark else "light")
    form = Tab(stranger.new_page(), world.url).goto("/login")
    assert axe.violations(form) == []
    form.check()
    stranger.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_tab_key_gets_everywhere_and_shows_where_it_is(tab, world, name):
    """Whatever can be used has its turn, none keeps the focus, and each looks different while it has it."""
    tab.goto(pages_of(world)[name]).settle()
    seen: list[str] = []
    for _ in range(400):
        tab.page.keyboard.press("Tab")
        place = tab.page.evaluate(_FOCUS)
        if place is None or (seen and place["id"] == seen[0]):
            break
        assert place["visible"], f"nobody sees that {place['what']} has the focus"
        assert len(seen) < 2 or place["id"] != seen[-1], f"{place['what']} keeps the focus"
        seen.append(place["id"])
    else:
        pytest.fail("four hundred steps and no end: a table that takes each row as one is one stop")
    assert seen


_FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  window.focused ??= new Map();
  if (!window.focused.has(one)) window.focused.set(one, window.focused.size);
  const ringed = (element) => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  };
  // a table has its ring around the box in which it scrolls
  const ring = ringed(one) || (one.parentElement && ringed(one.parentElement));
  const what = one.outerHTML.slice(0, 120);
  return { id: String(window.focused.get(one)), what, visible: ring };
}"""


def test_tabs_go_by_arrow_keys(tab, world):
    """As everywhere: right and left, and the address keeps which one is open."""
    tab.goto(world.page("runs", world.run)).settle()
    first = tab.page.locator("[role=tab][aria-selected=true]").first
    first.focus()
    before = first.inner_text()
    tab.page.keyboard.press("ArrowRight")
    tab.until(f"document.querySelector('[role=tab][aria-selected=true]').innerText !== {before!r}", "another tab")
    shown = tab.text("[role=tab][aria-selected=true]")
    tab.page.reload()
    tab.until(f"document.querySelector('[role=tab][aria-selected=true]')?.innerText === {shown!r}", "the same tab")
