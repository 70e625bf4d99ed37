"""Whoever can log can write a script into every name and text; on our pages it stays text, policy or not."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.browser.places import tabs_of

IMAGE = '<img src=x onerror="window.hacked=1">'
TAG = "</script><script>window.hacked=1</script>"
QUOTE = "\"'><b id=hacked>${window.hacked=1}{{7*7}}"
EVIL = json.dumps([IMAGE, TAG, QUOTE])
SWEEP = {
    "method": "random",
    "project": "hostile",
    "name": IMAGE,
    "description": TAG,
    "run_cap": 2,
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {
        "lr": {"min": 0.1, "max": 0.9},  # a parameter's name has no room for a script, its values do
        "kind": {"values": [IMAGE, TAG, QUOTE]},
    },
}


@pytest.fixture(scope="module")
def hostile(world_):
    """A project in which everything is called by a script; gives its pages."""
    user = world_.user
    user.environ["EVIL"] = EVIL
    lone = user.script("hostile.py")
    told = user.told("create", user.write("hostile.yaml", yaml.safe_dump(SWEEP)))
    sweep = told["sweep"].rpartition("/")[2]
    user.run("launch", sweep, "--workers", 1, "--count", 1, "--trainer", "hostile:train")
    user.run("launch", sweep, "--workers", 1, "--trainer", "hostile:fail", "--max-failures", 5, code=1)
    assert lone.wait(timeout=60) == 0, lone.communicate()
    names = world_.api(f"print(json.dumps([run.id for run in api.runs('hostile', filters={{'sweep': '{sweep}'}})]))")
    home = f"/{world_.entity}/hostile"
    runs = [f"{home}/runs/{name}" for name in (*names, "hostile")]
    compare = f"{home}/compare?runs={','.join((*names, 'hostile'))}"
    return ["/", f"/{world_.entity}", home, f"{home}/sweeps/{sweep}", *runs, compare, f"{home}/artifacts/model/hostile"]


def test_scripts_in_every_field_are_text_on_every_page(tab, hostile):
    """None runs, none becomes an element, and none is refused by the policy: they never were more than text."""
    shown = set()
    for address in hostile:
        tab.goto(address)
        for name in tabs_of(tab):
            tab.show_all()
            _hover(tab)
            assert tab.page.evaluate(
                "[typeof window.hacked, document.querySelectorAll('#hacked, img[src=x]').length]"
            ) == [
                "undefined",
                0,
            ], (address, name)
            shown |= {word for word in (IMAGE, TAG, QUOTE) if word in tab.text()}
        assert tab.page.evaluate("document.querySelectorAll('[href^=\"javascript:\" i]').length") == 0, address
    assert shown == {IMAGE, TAG, QUOTE}  # it was there to be seen


def _hover(tab) -> None:
    """Move over every chart, so that what it says of the place under the mouse is said."""
    charts = tab.page.locator("canvas:visible")
    for place in range(min(charts.count(), 12)):
        box = charts.nth(place).bounding_box()
        if box:
            for part in (0.2, 0.5, 0.8):
                tab.page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("path", ["page.html", "picture.svg"])
def test_a_file_that_is_a_page_does_not_run(open_tab, world, hostile, path):
    """Opened in a tab of its own, it is in a sandbox or comes down as a file."""
    del hostile
    playwright = pytest.importorskip("playwright.sync_api")
    tab = open_tab()
    try:
        answer = tab.page.goto(f"{world.url}/files/{world.entity}/hostile/hostile/{path}")
    except playwright.Error as error:  # a download is no page that one goes to
        assert "Download is starting" in str(error)  # noqa: PT017
        return
    assert answer is not None
    assert "sandbox" in answer.headers.get("content-security-policy", "")
    assert tab.page.evaluate("typeof window.hacked") == "undefined"
    tab.faults.clear()  # that it was refused is what we wanted
