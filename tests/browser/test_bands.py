"""The pictures of a sweep's page: that they are drawn, of the runs that are selected, and say what the server knows."""

from __future__ import annotations

import json
import random

import pytest
import yaml

from sweeper.figures.scales import robust

DRAWN = "document.querySelector('#panel-{0} canvas') !== null && !document.querySelector('#panel-{0} [aria-busy]')"


@pytest.fixture
def page(tab, world):
    """The page of the sweep with runs of every fate, with its bands near."""
    tab.goto(world.page("sweeps", world.sweep))
    tab.until("document.querySelectorAll('[data-mounted]').length > 0", "the first bands")
    return tab


def show(tab, name):
    """Open the tab of a picture."""
    tab.page.locator(f"#tab-{name}").click()
    tab.page.locator(f"#panel-{name}").scroll_into_view_if_needed()


def show_band(tab, name):
    """Bring a picture near the window that stands in no tab."""
    tab.page.locator(f"[data-band={name}]").scroll_into_view_if_needed()


def data(world, what):
    return json.loads(world.send(f"/-/data{world.page('sweeps', world.sweep)}/{what}"))


def test_what_mattered_is_what_the_server_weighed(page, world):
    """A row for each parameter in its order, to two digits; the best quarter of few runs says that they are few."""
    show_band(page, "importance")
    page.until("document.querySelector('table.importance')", "the table", timeout_s=60)
    every = "[...document.querySelectorAll('table.importance tbody tr')]"
    rows = page.page.evaluate(f"{every}.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))")
    told = [row for row in data(world, "importance")["rows"] if row["forest"] is not None]
    assert [row[0] for row in rows] == [row["name"] for row in told]
    assert float(rows[0][2]) == pytest.approx(told[0]["forest"], abs=0.006)
    page.page.get_by_label("among").select_option("quarter")
    page.until_text("It takes 10 runs", "[data-band=importance]", timeout_s=60)
    assert "imp.share=quarter" in page.page.url


def test_any_metric_can_be_chosen(page):
    """With its least or greatest value, and which of them are good."""
    show_band(page, "importance")
    page.until("document.querySelector('table.importance')", "the table", timeout_s=60)
    metric = page.page.get_by_label("Metric", exact=True).first
    names = metric.locator("option").all_inner_texts()
    other = next(name for name in names if name not in {"val/loss", "_step"})
    metric.select_option(other)
    page.page.get_by_label("of each run its").select_option("max")
    page.until("!document.querySelector('.importance-body[aria-busy]')", "the answer", timeout_s=60)
    assert page.page.get_by_label("and", exact=True).is_visible()


@pytest.mark.parametrize("name", ["slices", "contour", "timeline", "front"])
def test_a_picture_is_drawn_when_its_tab_is_opened(page, name):
    """And says in words what it cannot show."""
    show(page, name)
    page.until(DRAWN.format(name), name)
    page.settle()
    assert page.page.evaluate(
        f"[...document.querySelectorAll('#panel-{name} canvas')].some((one) => one.width > 200 && one.height > 100)"
    )


def test_the_slices_follow_the_keyboard(page):
    """Tabs are moved between with the arrow keys."""
    page.page.locator("#tab-slices").focus()
    page.page.keyboard.press("ArrowRight")
    page.until(DRAWN.format("contour"), "the contour")
    assert page.page.evaluate("document.activeElement.id") == "tab-contour"


def test_curves_say_how_many_were_stopped(page, world):
    """As many as the server has."""
    show_band(page, "curves")
    runs = data(world, "runs")["runs"]
    stopped = sum(
        state == "killed" and count > 0 for state, count in zip(runs["state"], runs["iterations"], strict=True)
    )
    page.until_text(f"{stopped} of", "[data-band=curves]")


def test_curves_are_drawn_of_any_metric(page, world):
    """Over its steps; the address says which, and it is found again."""
    show_band(page, "curves")
    band = page.page.locator("[data-band=curves]")
    band.get_by_label("Metric", exact=True).wait_for()
    names = band.get_by_label("Metric", exact=True).locator("option").all_inner_texts()
    other = next(name for name in names if name not in {"val/loss", "_step"})
    band.get_by_label("Metric", exact=True).select_option(other)
    page.until("!document.querySelector('[data-band=curves] .chart').hidden", "the curves")
    page.until_text("were stopped", "[data-band=curves]")
    assert f"curve.metric={other.replace('/', '%2F')}" in page.page.url
    page.goto(f"{world.page('sweeps', world.trade)}?curve.metric=size")
    show_band(page, "curves")
    page.until("document.querySelector('[data-band=curves] canvas')", "the curves of a sweep with several metrics")
    assert band.get_by_label("Metric", exact=True).input_value() == "size"


def test_scales_are_those_of_the_report(page):
    """One rule, in two languages: the same limits for the same values, by themselves or by logarithms."""
    chance = random.Random(7)
    lists = [[chance.gauss(0, 10**power) for _ in range(40)] + far for power in (-3, 0, 4) for far in ([], [1e9])]
    lists += [[10 ** chance.uniform(-6, 3) for _ in range(40)], [0.5], [3, 3, 3], [], [1.0, None, 2.0]]
    source = "(lists) => import(new URL('scales.js', document.querySelector('script[src*=\"sweep/page.js\"]').src))"
    told = page.page.evaluate(
        source + ".then(({ robust }) => lists.map((one) => [robust(one, one.slice(0, 1)), robust(one)]))"
        ".then((found) => found.map((pair) => pair.map(({ low, high, log }) => [low, high, log])))",
        lists,
    )
    for values, pair in zip(lists, told, strict=True):
        for (low, high, log), scale in zip(pair, (robust(values, keep=values[:1]), robust(values)), strict=True):
            assert (low, high, log) == (pytest.approx(scale.low), pytest.approx(scale.high), scale.log), values


def test_the_timeline_counts_attempts_and_slots(page, world):
    """Workers of a launch named theirs."""
    show(page, "timeline")
    told = data(world, "attempts")
    page.until_text(f"{len(told['attempts']['run'])} attempts on", "#panel-timeline")
    assert any(told["names"][slot] for slot in told["attempts"]["slot"])


def _many_attempts(world, count, slots=4):
    """What the server would say of so many attempts, one after the other in each slot."""
    told = data(world, "attempts")
    runs = data(world, "runs")["runs"]["id"]
    places = range(count)
    names = ["", "host", *(f"host {slot}" for slot in range(slots))]
    columns = {
        "run": [runs[i % len(runs)] for i in places],
        "number": [1 + i // len(runs) for i in places],
        "slot": [2 + i % slots for i in places],
        "host": [1] * count,
        "agent": [0] * count,
        "started": [60.0 * (i // slots) for i in places],
        "ended": [60.0 * (i // slots) + 50 for i in places],
        "state": [("finished", "killed", "failed")[i % 3] for i in places],
        "reason": [""] * count,
    }
    return json.dumps(told | {"names": names, "attempts": columns})


def test_of_very_many_attempts_the_latest_are_shown_first(page, world):
    """Each can be told from the next; a strip below has all of them, and what the viewer chose stays as more come."""
    body = _many_attempts(world, 10_000)
    page.page.route("**/attempts*", lambda route: route.fulfill(body=body, content_type="application/json"))
    show(page, "timeline")
    page.until_text("10,000 attempts on 4 slots", "#panel-timeline")
    page.until_text("At first the latest", "#panel-timeline")
    chart = "window.echarts.getInstanceByDom(document.querySelector('#panel-timeline .timeline'))"
    page.until(f"{chart}.getOption().dataZoom?.[0].start > 50", "a window at the end")
    within = f"{chart}.getOption().dataZoom.slice(0, 2).map((one) => [one.start, one.end].map(Math.round))"
    (start, end), slider = page.page.evaluate(within)
    assert ([start, end], end) == (slider, 100)
    strip = f"{chart}.getOption().series.slice(2).map((one) => one.data.reduce((sum, count) => sum + count, 0))"
    assert sum(page.page.evaluate(strip)) == 10_000
    page.page.evaluate(f"{chart}.dispatchAction({{ type: 'dataZoom', dataZoomIndex: 1, start: 10, end: 20 }})")
    page.page.get_by_role("button", name="finished").first.click()
    # the button is far above it: a picture out of sight is drawn again once it is seen
    page.page.locator("#panel-timeline").scroll_into_view_if_needed()
    page.until(f"{chart}.getOption().series[1].data.length < 9000", "fewer runs")
    assert page.page.evaluate(within)[0] == [10, 20]


def test_failures_are_shown_with_their_cause(page, world):
    """Grouped; each run is a way to its page."""
    show(page, "failures")
    causes = data(world, "failures")["causes"]
    page.until("document.querySelectorAll('.failure').length > 0", "failures")
    shown = page.page.locator(".failure-cause").all_inner_texts()
    assert [text.strip() for text in shown] == [one["cause"].strip() for one in causes]
    href = page.page.locator(".failure-runs a").first.get_attribute("href")
    assert href == world.page("runs", causes[0]["runs"][0])


def test_a_filter_filters_the_pictures(page, world):
    """Without the failed runs there are no failures."""
    page.goto(f"{world.page('sweeps', world.sweep)}?state=finished&tab=failures")
    page.page.locator("#panel-failures").scroll_into_view_if_needed()
    page.until_text("failed.", "#panel-failures")
    assert "None of the" in page.text("#panel-failures")


def test_the_file_is_shown_as_it_is(page, world):
    """A line for each of its own, to be copied and saved."""
    show(page, "definition")
    page.until("document.querySelectorAll('.yaml-line').length > 3", "the file")
    shown = page.page.evaluate("document.querySelector('.yaml').textContent")
    assert yaml.safe_load(shown) == yaml.safe_load(data(world, "definition")["yaml"])
    with page.page.expect_download() as saved:
        page.page.get_by_role("link", name="Download", exact=True).click()
    assert saved.value.suggested_filename == f"{world.sweep}.yaml"


def test_a_sweep_without_runs_says_what_to_wait_for(tab, world):
    """No picture is an empty frame."""
    tab.goto(world.page("sweeps", world.empty))
    for name in ("slices", "contour", "timeline", "failures"):
        show(tab, name)
        tab.until(f"document.querySelector('#panel-{name} .empty')?.innerText.length > 10", name)
