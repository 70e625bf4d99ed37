"""The charts of a run: that all it logged is drawn, as it was logged, and looked at more closely with mouse or keys."""

from __future__ import annotations

import json
import time

import pytest

CURVE = "[...document.querySelectorAll('.chart-card')].find((card) => card.querySelector('h3').title === {0!r})"


@pytest.fixture
def page(tab, world):
    """The page of the run with everything in it."""
    tab.goto(world.page("runs", world.run))
    tab.until("document.querySelectorAll('.curve canvas').length > 2", "the first curves")
    return tab


def card(page, key):
    """Bring the chart of a key into view."""
    found = page.page.locator(".chart-card", has=page.page.get_by_role("heading", name=key, exact=True))
    found.scroll_into_view_if_needed()
    return found


def open_group(page, name):
    """Open a group that is shut."""
    group = page.page.locator(".chart-group", has=page.page.get_by_role("heading", name=name)).first
    if group.get_attribute("open") is None:
        group.locator("summary").click()
    group.scroll_into_view_if_needed()
    return group


def test_every_number_has_a_chart_that_says_what_the_api_says(page, world):
    """The last value of each key, and its lowest and highest; a key of `define_metric` lies over its axis."""
    summary = world.api(f"print(json.dumps(dict(api.run('{world.project}/{world.run}').summary._json_dict)))")
    keys = ["train/loss", "train/lr", "val/loss", "val/accuracy", "spike", "epoch"]
    for key in keys:
        last = page.page.evaluate(f"{CURVE.format(key)}.querySelector('strong').innerText")
        assert float(last) == pytest.approx(summary[key], rel=1e-3), key
    assert "highest 100" in card(page, "spike").inner_text()
    label = page.page.evaluate(f"{CURVE.format('val/loss')}.querySelector('.curve').getAttribute('aria-label')")
    assert label.startswith("val/loss over epoch")


def test_what_is_pointed_at_is_said(page):
    """With the mouse, and with the arrow keys: value and step."""
    curve = card(page, "spike").locator(".curve")
    curve.focus()
    page.page.keyboard.press("ArrowRight")
    page.until_text("step 0", ".chart-card:has(h3[title=spike]) .curve-said")
    page.page.keyboard.press("Shift+ArrowRight")
    page.page.keyboard.press("Shift+ArrowRight")
    assert "step 0" not in page.text(".chart-card:has(h3[title=spike]) .curve-said")


def test_a_part_is_looked_at_closely_and_then_the_whole_again(page):
    """A drag chooses it, a button, a double click or a key shows all again."""
    chart = card(page, "train/lr")
    box = chart.locator(".u-over").bounding_box()
    page.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=5)
    page.page.mouse.up()
    chart.get_by_role("button", name="whole run").click()
    assert not chart.get_by_role("button", name="whole run").is_visible()
    chart.locator(".curve").focus()
    page.page.keyboard.press("+")
    assert chart.get_by_role("button", name="whole run").is_visible()
    page.page.keyboard.press("0")
    assert not chart.get_by_role("button", name="whole run").is_visible()


def test_the_part_that_is_looked_at_is_in_the_address(page, world):
    """So that it can be sent to somebody: the same part is there again, and only of that chart."""
    chart = card(page, "train/lr")
    chart.locator(".curve").focus()
    page.page.keyboard.press("+")
    page.page.keyboard.press("+")
    assert "zoom=" in page.page.url
    page.page.reload()
    page.until("document.querySelectorAll('.curve canvas').length > 2", "the first curves")
    chart = card(page, "train/lr")
    assert chart.get_by_role("button", name="whole run").is_visible()
    assert page.page.get_by_role("button", name="whole run").count() == 1
    chart.get_by_role("button", name="whole run").click()
    assert "zoom=" not in page.page.url
    page.goto(world.page("runs", world.run) + "?zoom=%7Bhalf%20an%20object")
    page.until("document.querySelectorAll('.curve canvas').length > 2", "whole runs, whatever the address says")


def test_how_charts_look_stands_in_the_address_and_goes_along(page, world):
    """Axis, smoothing, logarithm and range; they hold for the project's other runs as well."""
    page.page.locator(".chart-bar select").select_option("_runtime")
    page.page.get_by_label("log scale").check()
    page.page.get_by_label("lowest to highest").uncheck()
    page.page.get_by_label("smoothing").press("ArrowRight")
    assert {"x=_runtime", "log=1", "band=0", "smooth=0.01"} <= set(page.page.url.partition("?")[2].split("&"))
    page.until(f"{CURVE.format('train/loss')}.querySelector('canvas')", "the curve again")
    assert "over time since the start" in page.page.evaluate(
        f"{CURVE.format('train/loss')}.querySelector('.curve').getAttribute('aria-label')"
    )
    page.goto(world.page("runs", world.finished()[0]))
    page.until("document.querySelectorAll('.curve canvas').length", "its curves")
    assert page.page.locator(".chart-bar select").input_value() == "_runtime"
    assert page.page.get_by_label("log scale").is_checked()


def test_keys_are_searched(page):
    """All words must be in the name; where none fits, it says so."""
    page.page.get_by_label("Search keys").fill("val acc")
    assert page.page.locator(".chart-card:visible h3").all_inner_texts() == ["val/accuracy"]
    page.page.get_by_label("Search keys").fill("nothing of that name")
    page.until_text("No key holds")


def test_few_charts_fill_their_row(page):
    """A group of one or two leaves no half of it empty."""
    rows = """[...document.querySelectorAll('.chart-group[open]')].map((group) => {
        const cards = [...group.querySelectorAll('.chart-card')].filter((card) => card.offsetParent);
        const right = Math.max(...cards.map((card) => card.getBoundingClientRect().right));
        return [cards.length, Math.round(group.getBoundingClientRect().right - right)];
    })"""
    found = page.page.evaluate(rows)
    assert {1, 2} <= {count for count, _ in found}
    assert {room for count, room in found if count <= 2} == {0}


def test_watched_layers_are_pictures(page):
    """A column for each step, shut until somebody opens them; the keys go through the steps."""
    group = open_group(page, "gradients")
    page.until("[...document.querySelectorAll('.layer-picture')].some((one) => /of 6 steps/.test(one.ariaLabel))")
    drawn = """[...document.querySelectorAll('.layer-picture')].filter((one) => one.getContext('2d')
        .getImageData(0, 0, one.width, one.height).data.some((value) => value)).length"""
    assert page.until(drawn) >= 3
    group.locator(".layer-picture").first.focus()
    page.page.keyboard.press("ArrowRight")
    assert "step 0: from" in group.locator(".curve-said").first.inner_text()
    assert "open=gradients" in page.page.url
    page.page.reload()
    page.until("document.querySelector('.curve canvas')")
    group.locator(".layer-picture").first.scroll_into_view_if_needed()
    page.until("[...document.querySelectorAll('.layer-picture')].some((one) => /of 6 steps/.test(one.ariaLabel))")


def test_pictures_are_leafed_through_by_step(page):
    """The latest first; a slider goes back, with the keys as well."""
    chart = card(page, "media/digit")
    page.until(
        "[...document.querySelectorAll('.media-files img')].some((one) => one.naturalWidth === 24)", "the picture"
    )
    assert "6 of 6" in chart.inner_text()
    assert "step 5" in chart.inner_text()
    chart.get_by_role("slider").press("Home")
    assert "1 of 6" in chart.inner_text()
    page.until("document.querySelector('.media-files img').alt === 'step 0'")


def test_a_table_is_shown_and_can_be_had_whole(page, world):
    """Its rows as text, and its file."""
    chart = card(page, "tables/scores")
    chart.scroll_into_view_if_needed()
    page.until_text("second", ".chart-card:has(h3[title='tables/scores'])")
    assert chart.locator("tbody tr").all_inner_texts() == ["first\t0.1", "second\t0.9"]
    found = json.loads(world.send(chart.get_by_role("link", name="Download").get_attribute("href")))
    assert found["data"] == [["first", 0.1], ["second", 0.9]]


def test_a_table_shows_its_pictures(page):
    """Which lie in the artifact that the SDK logs beside it."""
    chart = card(page, "tables/pictured")
    chart.scroll_into_view_if_needed()
    page.until("document.querySelector('.logged-table img')?.naturalWidth === 24")
    assert chart.locator("img").get_attribute("alt") == "picture, row 1"
    assert chart.locator("tbody tr").inner_text().split() == ["a"]


def test_every_chart_of_wandb_plot_is_drawn(page):
    """Lines, points and bars; the confusion matrix has what is true to the left; so are those of `wandb.sklearn`."""
    keys = ["pr", "roc", "line", "scatter", "bar", "histogram", "series", "elbow"]
    for key in keys:
        found = page.page.locator(".chart-card", has=page.page.locator(f"h3[title='plots/{key}']"))
        found.scroll_into_view_if_needed()
        marks = ".custom-chart path, .custom-chart circle, .custom-chart rect"
        page.until(
            f"document.querySelector(\"h3[title='plots/{key}']\").closest('.chart-card').querySelector('{marks}')", key
        )
    matrix = page.page.locator(".chart-card", has=page.page.locator("h3[title='plots/confusion']"))
    matrix.scroll_into_view_if_needed()
    page.until("document.querySelector('table.matrix')")
    assert matrix.locator("tbody tr").all_inner_texts() == ["cat\t2\t1\t0", "dog\t0\t2\t1", "bird\t0\t0\t2"]
    heatmap = page.page.locator(".chart-card", has=page.page.locator("h3[title='plots/heat']"))
    heatmap.scroll_into_view_if_needed()
    page.until("document.querySelectorAll('table.matrix').length === 2")
    assert heatmap.locator("tbody tr").all_inner_texts() == ["u\t-1\t2", "v\t\t0"]


def test_a_run_that_goes_on_is_drawn_as_it_goes(tab, world):
    """What it logs appears by itself: first nothing, then a chart, then a longer one."""
    name = f"growing-{time.time_ns()}"
    query = """mutation($n: String, $p: String) { upsertBucket(input: {name: $n, modelName: $p}) { inserted } }"""
    world.graphql(query, n=name, p=world.project)
    tab.goto(world.page("runs", name))
    tab.until_text("Nothing was logged yet")

    def log(first, *values):
        rows = [json.dumps({"_step": first + i, "loss": value}) for i, value in enumerate(values)]
        body = json.dumps({"files": {"wandb-history.jsonl": {"offset": first, "content": rows}}})
        world.send(f"/files/{world.entity}/{world.project}/{name}/file_stream", "POST", body.encode())

    log(0, 3.0, 2.0)
    tab.until_text("2 values", "[data-tab=charts]", timeout_s=30)
    log(2, 1.5)
    tab.until_text("3 values", "[data-tab=charts]", timeout_s=30)
    tab.until("document.querySelector('.curve-said strong').innerText === '1.5'")
    body = json.dumps({"files": {}, "complete": True, "exitcode": 0})
    world.send(f"/files/{world.entity}/{world.project}/{name}/file_stream", "POST", body.encode())
