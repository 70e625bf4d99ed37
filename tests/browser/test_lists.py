"""The pages that list, and the comparison that they lead to, as a person uses them."""

from __future__ import annotations

import json
import time


def goes_to(tab, words):
    """Wait until a page is open whose address has some words."""
    deadline = time.monotonic() + 20
    while words not in tab.page.url:
        assert time.monotonic() < deadline, tab.page.url
        tab.page.wait_for_timeout(50)
    tab.page.wait_for_load_state()


def test_a_sweep_is_found_and_opened_by_keyboard(tab, world):
    """The key `/`, some letters, an arrow, Enter."""
    tab.goto("/")
    tab.page.keyboard.press("/")
    tab.page.keyboard.type("by hand")
    tab.until("document.querySelector('#found [role=option]') !== null", "what is found")
    assert "mnist, by hand" in tab.text("#found")
    tab.page.keyboard.press("ArrowDown")
    assert tab.page.locator("#find").get_attribute("aria-activedescendant") == "found-0"
    tab.page.keyboard.press("Enter")
    goes_to(tab, f"/sweeps/{world.sweep}")


def test_what_was_typed_is_found_without_the_list_too(tab, world):
    """Enter alone, or a browser without scripts."""
    tab.goto("/")
    tab.page.locator("#find").fill(world.run)
    tab.page.keyboard.press("Enter")
    goes_to(tab, "/?q=")
    assert tab.page.locator(f"main a[href$='/runs/{world.run}']").count() == 1
    tab.goto("/?q=no-such-thing")
    assert "Nothing of that name" in tab.text("main")


def test_a_projects_sweeps_are_filtered_and_the_address_says_so(tab, world):
    """By words and by state; the same address shows the same again."""
    tab.goto(world.page())
    shown = "[...document.querySelectorAll('[data-live=sweeps] tr')].filter((row) => !row.hidden).length"
    assert tab.page.evaluate(shown) >= 3
    tab.page.locator("[data-filter=sweeps]").fill("by hand")
    assert tab.page.evaluate(shown) == 1
    assert "by" in tab.page.evaluate("location.search")
    tab.page.reload()
    tab.until(f"{shown} === 1", "the filter of the address")
    tab.page.locator("[data-filter=sweeps]").fill("nothing like it")
    assert "No sweep fits the filter." in tab.text("main")


def test_a_projects_sweeps_are_sorted_by_a_column(tab, world):
    """By its head: once, turned, and not at all; what has no value is last either way."""
    tab.goto(world.page())
    names = "[...document.querySelectorAll('[data-live=sweeps] tr')].map((row) => row.dataset.key)"
    usual = tab.page.evaluate(names)
    head = tab.page.get_by_role("button", name="Best", exact=True)
    head.click()
    assert tab.page.locator("[data-by=best]").get_attribute("aria-sort") == "descending"
    assert tab.page.evaluate(names)[0] == world.sweep
    head.click()
    assert tab.page.locator("[data-by=best]").get_attribute("aria-sort") == "ascending"
    assert tab.page.evaluate(names)[0] == world.sweep
    head.click()
    tab.until(f"JSON.stringify({names}) === JSON.stringify({usual})", "the order of the server")


def test_shown_numbers_are_those_of_the_api(tab, world):
    """Best value, runs done: a project's page and `wandb.Api()` agree."""
    told = world.api(
        f"sweep = api.sweep('{world.entity}/{world.project}/{world.sweep}')\n"
        "done = sum(run.state != 'running' for run in sweep.runs)\n"
        "print(json.dumps([sweep.best_run().name, done]))"
    )
    tab.goto(world.page())
    row = f"tr[data-key='{world.sweep}']"
    best = tab.page.locator(f"{row} a[href*='/runs/']")
    tab.goto(best.get_attribute("href"))
    tab.until_text(told[0])
    tab.goto(world.page())
    assert f"{told[1]} of" in tab.text(row)


def test_runs_are_compared(tab, world):
    """What differs first, what is the same on request, and a curve of each run in a chart of each key."""
    first, second = world.finished()[:2]
    tab.goto(f"{world.page('compare')}?runs={first},{second}")
    configs = [
        json.loads(world.api(f"print(json.dumps(json.dumps(dict(api.run('{world.project}/{name}').config))))"))
        for name in (first, second)
    ]
    rows = {
        row.locator("th").inner_text(): row.locator("td").all_inner_texts()
        for row in tab.page.locator("section[aria-labelledby=config] > table tbody tr").all()
    }
    differing = {name for name in configs[0] if configs[0][name] != configs[1].get(name)}
    assert set(rows) == differing
    for name in differing:
        if isinstance(configs[0][name], str | int):
            assert rows[name] == [str(config[name]) for config in configs]
    tab.page.locator("#charts").scroll_into_view_if_needed()
    tab.until("document.querySelectorAll('#charts canvas').length > 0", "charts")
    tab.page.locator("#axis").select_option("_runtime")
    tab.page.locator("#log").check()
    tab.settle()
    assert "x=_runtime" in tab.page.evaluate("location.search")
    box = tab.page.locator("#charts canvas").first.bounding_box()
    tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.until("document.querySelectorAll('.told b').length > 0", "what the chart says of a place")
    tab.page.locator("#key-filter").fill("loss")
    keys = tab.page.evaluate(
        "[...document.querySelectorAll('#charts section')].filter((one) => !one.hidden).map((one) => one.dataset.key)"
    )
    assert keys
    assert all("loss" in key for key in keys)


def test_each_of_many_runs_has_a_line_of_its_own(tab, world):
    """Of more than eight the colours are used again, with other strokes: in the chart as in the table."""
    names = world.finished()
    assert len(names) > 8
    tab.goto(world.page("compare") + "?runs=" + ",".join(names))
    chart = "window.echarts?.getInstanceByDom(document.querySelector('[data-key=\"val/loss\"] .chart'))"
    tab.page.locator('[data-key="val/loss"]').scroll_into_view_if_needed()
    tab.until(f"{chart}?.getOption().series?.length === {len(names)}", "the curves")
    drawn = tab.page.evaluate(f"{chart}.getOption().series.map((one) => one.color + one.lineStyle.type)")
    assert len(set(drawn)) == len(names)
    marked = tab.page.evaluate("[...document.querySelectorAll('#runs .swatch')].map((one) => one.className)")
    assert len(set(marked)) == len(names)
    assert "then the same ones dashed" in tab.text("main")
