"""What every page has: it opens, says what it is about, and does nothing unseen."""

from __future__ import annotations

import pytest

from tests.browser.browsing import PHONE
from tests.browser.places import NAMES, pages_of, tabs_of


@pytest.mark.parametrize("name", NAMES)
def test_a_page_opens_without_a_fault(tab, world, name):
    """No error in the console, nothing that the policy refuses, and no request to anywhere else, in any of its tabs."""
    tab.goto(pages_of(world)[name])
    for _ in tabs_of(tab):
        tab.show_all()
    assert tab.page.locator("main").is_visible()
    assert tab.page.title() not in {"", "sweeper"} or name == "home"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_onto_a_phone(open_tab, world, name):
    """What is wider than the screen scrolls within itself: nobody has to scroll a page sideways."""
    tab = open_tab(PHONE).goto(pages_of(world)[name])
    for shown in tabs_of(tab):
        tab.show_all()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], shown


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_scrolls_sideways_on_a_phone_says_so(open_tab, world, dark):
    """In words above it, and by a shadow at the edge where there is more; what fits says nothing."""
    tab = open_tab(PHONE, dark=dark).goto(world.page("compare") + "?runs=" + ",".join(world.finished()))
    said = "[...document.querySelectorAll('[data-sideways]')].map((one) => getComputedStyle(one, '::before').content)"
    tab.until(f"{said}.length >= 2", "the tables of config and summary")
    assert all("swipe" in words for words in tab.page.evaluate(said))
    wide = "[...document.querySelectorAll('main .card')].filter((one) => one.scrollWidth > one.clientWidth + 8)"
    assert tab.page.evaluate(f"{wide}.every((one) => one.hasAttribute('data-sideways'))")
    assert tab.page.evaluate(f"{wide}.every((one) => getComputedStyle(one).backgroundImage.includes('gradient'))")
    tab.page.set_viewport_size({"width": 1280, "height": 800})
    tab.until(f"{said}.length === 0", "no such words on a desk")


@pytest.mark.parametrize("name", ["project", "sweep", "run", "compare"])
def test_nothing_moves_while_a_page_fills(open_tab, world, name):
    """Data that arrives takes the room that was kept for it; below 0.1 a browser calls a page steady."""
    tab = open_tab()
    tab.page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries())"
        " if (!entry.hadRecentInput) window.moved += entry.value; }).observe({ type: 'layout-shift', buffered: true });"
    )
    tab.goto(pages_of(world)[name]).settle()
    assert tab.page.evaluate("window.moved") < 0.1


def test_without_scripts_a_page_still_says_how_it_stands(open_tab, world):
    """State, metric and best value stand in the page itself."""
    tab = open_tab(java_script_enabled=False)
    tab.page.goto(world.url + world.page("sweeps", world.sweep))
    shown = tab.text("main")
    assert "finished" in shown
    assert "val/loss" in shown
