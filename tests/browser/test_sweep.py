"""The page of a sweep: how it goes, which runs are shown, and the parallel coordinates."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

COUNT = "document.querySelector('.filter-bar .count[role=status]')?.textContent ?? ''"
HEADS = "[...document.querySelectorAll('.axis-head')].map((one) => one.dataset.axis)"
RUNS = 14


@pytest.fixture
def sweep(tab, world):
    """The page of the sweep with runs of every fate, once its runs are there."""
    return at_sweep(tab, world.page("sweeps", world.sweep))


def at_sweep(tab, path):
    """Open a sweep's page and wait for its parallel coordinates."""
    tab.goto(path)
    tab.until(f"({HEADS}).length > 0", "axes")
    return tab


NEWS = """import(document.querySelector('script[src$="sweep/page.js"]').src.replace("page.js", "model.js"))
    .then(({ model }) => model.select())"""


def shown(tab):
    """Read how many runs are shown."""
    text = tab.page.evaluate(COUNT)
    return RUNS if text.startswith("all") else int(text.split()[0])


def chosen(tab):
    """Read what the address says was chosen."""
    return {name: values[0] for name, values in parse_qs(urlparse(tab.page.url).query).items()}


def type_filter(tab, text):
    """Type into the filter."""
    tab.page.locator(".filter-text").fill(text)
    tab.page.wait_for_timeout(400)


def known_runs(world):
    """Read the runs as anybody does who has wandb."""
    return world.api(f"""runs = api.sweep("{world.entity}/{world.project}/{world.sweep}").runs
print(json.dumps({{run.id: {{"state": run.state, "config": run.config, "best": min(
    [row["val/loss"] for row in run.scan_history(keys=["val/loss"])], default=None)}} for run in runs}}))""")


def test_the_best_run_is_the_one_that_the_api_tells(sweep, world):
    """With its value and its parameters, to the digits shown; it leads to the run's page."""
    known = known_runs(world)
    leading = {run: told for run, told in known.items() if told["best"] is not None and told["state"] != "failed"}
    best = min(leading, key=lambda run: leading[run]["best"])
    card = sweep.page.locator(".best-card")
    assert float(card.locator(".best-value").get_attribute("title")) == pytest.approx(leading[best]["best"], rel=1e-7)
    assert card.get_by_role("link", name="Open run").get_attribute("href").endswith(f"/runs/{best}")
    with sweep.page.expect_download() as saved:
        card.get_by_role("link", name="Download model").click()
    assert saved.value.suggested_filename == "model.onnx"
    assert Path(saved.value.path()).read_bytes() == f"a model of {best}".encode()
    said = card.locator("dl.params").inner_text()
    for name in ("lr", "dropout", "units", "optimizer"):
        assert name in said
    assert str(leading[best]["config"]["units"]) in said
    assert "seed" not in said
    assert f"of {RUNS} runs" in sweep.text("[data-live=progress]")


def test_the_command_that_reruns_the_best_run_is_copied(open_tab, world):
    """It is the whole command: pasted into a shell it makes that one run again."""
    tab = at_sweep(open_tab(permissions=["clipboard-read", "clipboard-write"]), world.page("sweeps", world.sweep))
    tab.page.get_by_role("button", name="Copy command").click()
    tab.until_text("Copied", ".best-card")
    said = tab.page.evaluate("navigator.clipboard.readText()")
    assert "sweeper create" in said
    assert "sweeper launch --count 1" in said
    assert "dropout" in said


def test_a_filter_in_the_command_lines_words_selects_what_the_command_line_does(sweep, world):
    """For numbers, words, states and durations; the address keeps it. What cannot be read is said and holds nobody."""
    for text in (
        "optimizer=adam",
        "dropout<0.3 units>=16",
        "state!=failed",
        "duration<1h",
        'optimizer~"sg"',
        "best<0.7",
    ):
        type_filter(sweep, text)
        told = world.user.told("runs", world.sweep, "--filter", text)
        assert shown(sweep) == len(told["runs"]), text
        assert chosen(sweep)["filter"] == text
    type_filter(sweep, "dropuot<0.3")
    assert "no run has" in sweep.text("#filter-fault")
    assert shown(sweep) == RUNS
    type_filter(sweep, "")
    assert "filter" not in chosen(sweep)


def test_states_narrow_what_is_shown(sweep, world):
    """By what has become of runs; pressed again it shows all, and the button keeps the focus."""
    failed = len(world.failed())
    chip = sweep.page.get_by_role("group", name="States").get_by_role("button", name="failed")
    chip.focus()
    sweep.page.keyboard.press("Enter")
    assert shown(sweep) == failed
    assert chosen(sweep)["state"] == "failed"
    assert sweep.page.evaluate("document.activeElement.dataset.chip") == "failed"
    sweep.page.evaluate(NEWS)  # as it comes while a sweep runs: all is drawn anew under the viewer's hands
    assert sweep.page.evaluate("document.activeElement.dataset.chip") == "failed"
    sweep.page.keyboard.press("Enter")
    assert shown(sweep) == RUNS


def test_the_best_so_many_are_those_that_may_lead(sweep):
    """A tenth of them is one at least."""
    sweep.page.get_by_role("button", name="best 10 %").click()
    assert shown(sweep) == 1
    sweep.page.get_by_role("button", name="Show all").click()
    assert shown(sweep) == RUNS


def axis_x(tab, axis):
    """Where an axis stands, in pixels of the window."""
    box = tab.page.locator(f'.axis-head[data-axis="{axis}"]').bounding_box()
    return box["x"] + box["width"] / 2


def drag(tab, axis, low, high):
    """Drag along an axis, from one share of it to another."""
    place = tab.page.locator(".parallel-place")
    place.scroll_into_view_if_needed()
    box, x = place.bounding_box(), axis_x(tab, axis)
    top, bottom = box["y"] + 14, box["y"] + box["height"] - 34
    tab.page.mouse.move(x, bottom - low * (bottom - top))
    tab.page.mouse.down()
    tab.page.mouse.move(x, bottom - high * (bottom - top), steps=6)
    tab.page.mouse.up()
    tab.page.wait_for_timeout(150)


def test_a_brush_selects_for_the_whole_page(sweep, world):
    """Those within it, as the API tells their values; a click on the axis takes it away."""
    drag(sweep, "p.dropout", 0.0, 0.5)
    low, high = json.loads(chosen(sweep)["brush"])["p.dropout"]
    within = [run for run in known_runs(world).values() if low <= run["config"]["dropout"] <= high]
    assert 0 < shown(sweep) == len(within) < RUNS
    assert sweep.page.get_by_role("button", name="Take away the brush dropout").count() == 1
    drag(sweep, "p.dropout", 0.9, 0.9)
    assert "brush" not in chosen(sweep)
    assert shown(sweep) == RUNS


def test_listed_values_are_brushed_whole(sweep, world):
    """As the values that they are."""
    drag(sweep, "p.optimizer", 0.6, 1.0)
    (wanted,) = json.loads(chosen(sweep)["brush"])["p.optimizer"]
    assert shown(sweep) == sum(json.dumps(run["config"]["optimizer"]) == wanted for run in known_runs(world).values())


def test_axes_move_by_keys_and_by_dragging_and_carry_over(sweep, world):
    """The next sweep of the project has those that it knows; a filter that it cannot read holds nobody back there."""
    before = sweep.page.evaluate(HEADS)
    assert before == ["p.dropout", "p.lr", "p.optimizer", "p.units", "value"]
    sweep.page.locator(".axis-head").first.focus()
    sweep.page.keyboard.press("ArrowRight")
    assert sweep.page.evaluate(HEADS) == ["p.lr", "p.dropout", *before[2:]]
    assert sweep.page.evaluate("document.activeElement.dataset.axis") == "p.dropout"
    head = sweep.page.locator('.axis-head[data-axis="value"]').bounding_box()
    by = axis_x(sweep, "p.optimizer") - axis_x(sweep, "value")
    sweep.page.mouse.move(head["x"] + 10, head["y"] + 8)
    sweep.page.mouse.down()
    sweep.page.mouse.move(head["x"] + 10 + by, head["y"] + 8, steps=5)
    sweep.page.mouse.up()
    moved = ["p.lr", "p.dropout", "value", "p.optimizer", "p.units"]
    assert sweep.page.evaluate(HEADS) == moved
    type_filter(sweep, "lr<1")
    sweep.goto(world.page("sweeps", world.sweep))
    sweep.until(f"({HEADS}).length > 0")
    assert sweep.page.evaluate(HEADS) == moved
    assert sweep.page.locator(".filter-text").input_value() == "lr<1"
    sweep.goto(world.page("sweeps", world.trade))
    sweep.until(f"({HEADS}).length > 0")
    assert "no run has" in sweep.text("#filter-fault")
    sweep.page.get_by_role("button", name="Show all").click()
    assert "filter" not in chosen(sweep)


def test_limits_are_typed_where_a_pointer_is_none(sweep, world):
    """A name opens them; Enter takes them."""
    sweep.page.locator('.axis-head[data-axis="p.dropout"]').focus()
    sweep.page.keyboard.press("Enter")
    sweep.page.get_by_label("to", exact=True).fill("0.3")
    sweep.page.keyboard.press("Enter")
    assert shown(sweep) == sum(run["config"]["dropout"] <= 0.3 for run in known_runs(world).values())


def test_any_logged_number_is_an_axis_and_a_colour(sweep):
    """Its last, least or greatest value."""
    sweep.page.locator(".axis-menu summary").click()
    sweep.page.get_by_label("Find an axis").fill("min")
    box = sweep.page.locator(".axis-list label:visible input").first
    box.check()
    sweep.until(f"({HEADS}).some((axis) => axis.startsWith('m.min.'))", "the new axis")
    sweep.page.keyboard.press("Escape")
    sweep.page.get_by_label("Colour of the lines").select_option("p.lr")
    assert chosen(sweep)["colour"] == "p.lr"


def test_a_pointer_on_a_dot_names_its_run(sweep):
    """With its parameters; and the run is pointed at in the other pictures."""
    canvas = sweep.page.locator(".curve-place canvas")
    box = canvas.bounding_box()
    found = ""
    for x in range(56, int(box["width"]) - 14, 6):
        for y in range(12, int(box["height"]) - 30, 12):
            sweep.page.mouse.move(box["x"] + x, box["y"] + y)
            if sweep.page.evaluate("(document.querySelector('.run-hint')?.hidden ?? true) === false"):
                found = sweep.text(".run-hint")
                break
        if found:
            break
    assert "run-" in found
    assert "optimizer" in found


def test_a_sweep_with_two_metrics_has_its_front_in_the_best_ones_place(tab, world):
    """And a sweep without runs says what starts one."""
    at_sweep(tab, world.page("sweeps", world.trade))
    assert "no other beats" in tab.text(".best-card")
    assert tab.page.locator(".best-card td a").count() > 0
    tab.goto(world.page("sweeps", world.empty))
    tab.until_text("sweeper launch", ".best-card")
    tab.until_text("No run has begun yet", ".parallel-band")
