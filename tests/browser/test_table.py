"""The table of a sweep's runs: what it shows, how one sorts, chooses, marks and moves in it, and the file it gives."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest

ROWS = "[...document.querySelectorAll('.run-table tbody tr[data-run]')]"


@pytest.fixture
def table(tab, world):
    """The page of the sweep with runs of every fate, at its table."""
    return at_table(tab, world.page("sweeps", world.sweep))


def at_table(tab, path):
    """Open a sweep's page and wait for its table."""
    tab.goto(path)
    tab.page.locator("#runs").scroll_into_view_if_needed()
    tab.until(f"{ROWS}.length > 0", "rows of the table")
    return tab


def shown(tab):
    """Read the table as a person does: a mapping from the column's title to the cell's text, for each row."""
    script = f"""({{
        head: [...document.querySelectorAll('.run-table thead th button')].map((cell) => cell.firstChild.innerText),
        rows: {ROWS}.map((row) => [row.dataset.run, [...row.cells].slice(1).map((cell) => cell.innerText.trim())]),
    }})"""
    found = tab.page.evaluate(script)
    return {run: dict(zip(found["head"], cells, strict=True)) for run, cells in found["rows"]}


def order(tab, column):
    """Give a column's texts from the top."""
    return [row[column] for row in shown(tab).values()]


def sort_by(tab, title):
    """Press the head of a column."""
    tab.page.locator(".run-table thead button", has_text=title).first.click()


def save(tab):
    """Let the browser keep the file; give its rows."""
    with tab.page.expect_download() as found:
        tab.page.get_by_role("button", name="CSV").click()
    return list(csv.DictReader(io.StringIO(Path(found.value.path()).read_text(encoding="utf-8"))))


def read(world):
    """Read the sweep's runs as anybody does who has wandb."""
    code = f"""runs = api.sweep("{world.entity}/{world.project}/{world.sweep}").runs
print(json.dumps({{run.id: {{"state": run.state, "config": run.config, "summary": dict(run.summary),
    "values": [row["val/loss"] for row in run.scan_history(keys=["val/loss"])]}} for run in runs}}, default=str))"""
    return world.api(code)


def test_it_shows_what_the_api_tells(table, world):
    """State, parameters and the best value of every run, to the digits shown."""
    known, rows = read(world), shown(table)
    assert rows.keys() == known.keys()
    fates = {"killed": "stopped", "crashed": "failed"}
    for run, row in rows.items():
        api = known[run]
        assert row["state"] == fates.get(api["state"], api["state"])
        assert row["optimizer"] == api["config"]["optimizer"]
        for name in ("lr", "dropout"):
            assert float(row[name]) == pytest.approx(api["config"][name], rel=1e-3)
        if api["values"]:
            assert float(row["val/loss"]) == pytest.approx(min(api["values"]), rel=1e-3)
        else:
            assert row["val/loss"] == ""


def test_the_best_stands_first_and_any_column_sorts(table):
    """What has no value stays below; the order is in the address, and comes back with it."""
    values = [
        float(text)
        for text, state in zip(order(table, "val/loss"), order(table, "state"), strict=True)
        if text and state != "failed"
    ]
    assert values == sorted(values)
    assert table.page.locator("tr.best td.row-name").inner_text() == order(table, "run")[0]
    sort_by(table, "dropout")
    up = [float(text) for text in order(table, "dropout")]
    assert up == sorted(up)
    sort_by(table, "dropout")
    assert [float(text) for text in order(table, "dropout")] == sorted(up, reverse=True)
    assert "sort=-p.dropout" in table.page.url
    heads = table.page.locator("th[aria-sort=descending]")
    assert [" ".join(text.split()) for text in heads.all_inner_texts()] == ["dropout ↓"]
    at_table(table, table.page.url.removeprefix(table.url))
    assert [float(text) for text in order(table, "dropout")] == sorted(up, reverse=True)


def test_columns_are_chosen_and_found_again_at_the_next_sweep(table, world):
    """Any logged key's last, least or greatest value; a sweep that has not a column leaves it out."""
    page = table.page
    page.locator(".column-menu summary").click()
    page.get_by_label("Find a column").fill("accuracy")
    page.get_by_label("val/accuracy (max)").check()
    page.get_by_label("Find a column").fill("slot")
    page.get_by_label("slot", exact=True).check()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    table.until("[...document.querySelectorAll('.run-table th')].some((th) => th.innerText.includes('accuracy'))")
    wanted = world.api(
        f"""run = api.sweep("{world.entity}/{world.project}/{world.sweep}").runs
print(json.dumps({{one.id: max([row["val/accuracy"] for row in one.scan_history(keys=["val/accuracy"])], default=None)
    for one in run}}))"""
    )
    table.until(f"{ROWS}.some((row) => /0\\.\\d+/.test(row.innerText))")
    deadline = time.monotonic() + 15
    while not all(row["val/accuracy (max)"] for run, row in shown(table).items() if wanted[run] is not None):
        assert time.monotonic() < deadline, shown(table)
        page.wait_for_timeout(100)
    for run, row in shown(table).items():
        assert (row["val/accuracy (max)"] == "") is (wanted[run] is None)
        if wanted[run] is not None:
            assert float(row["val/accuracy (max)"]) == pytest.approx(wanted[run], rel=1e-3)
    at_table(table, world.page("sweeps", world.trade))
    titles = [title.strip() for title in page.locator(".run-table thead th").all_inner_texts()]
    assert "slot" in titles
    assert "dropout" not in titles


def test_keys_move_mark_and_open(table):
    """One Tab into the table; from there on arrows, Space and Enter do all, and the place is announced."""
    page = table.page
    runs = list(shown(table))
    page.locator(".run-table").focus()
    for press in ("ArrowDown", "ArrowDown", " ", "End", "ArrowUp", "Home"):
        page.keyboard.press(press)
    assert page.get_attribute(".run-table", "aria-activedescendant") == f"row-{runs[0]}"
    assert page.get_attribute(f"#row-{runs[1]}", "aria-selected") == "true"
    assert page.locator(f"#row-{runs[0]}.active").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{runs[0]}")


def test_marked_runs_lead_to_their_comparison(table, world):
    """By a box or by Space; the marks are in the address."""
    page = table.page
    first, second = list(shown(table))[:2]
    for run in (first, second):
        page.locator(f"#row-{run} .row-mark").click()
    link = page.get_by_role("link", name="Compare")
    assert link.get_attribute("href") == world.page("compare") + f"?runs={first},{second}"
    assert "marked=" in page.url
    page.get_by_role("button", name="clear").click()
    assert not link.is_visible()


def test_the_file_has_every_column_with_every_digit(table, world):
    """Of the selected runs, in their order; a spreadsheet computes nothing in it."""
    runs = list(shown(table))
    rows = save(table)
    assert [row["id"] for row in rows] == runs
    known = read(world)
    for row in rows:
        api = known[row["id"]]
        assert row["state"] == api["state"]
        assert float(row["config.lr"]) == api["config"]["lr"]
        if api["values"]:
            assert float(row["best"]) == min(api["values"])
            assert float(row["val/loss (last)"]) == api["values"][-1]
            assert float(row["train/loss (max)"]) >= float(row["train/loss (min)"])
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "@"))]


def test_ten_thousand_runs_are_as_quick_as_forty(tab, world):
    """Only what is in sight is there as elements; sorting and the end of the list are at once."""
    path = f"/-/data/{world.entity}/{world.project}/sweeps/{world.sweep}/runs"
    given = json.loads(world.send(path))

    def many(route):
        count = 10_000 // len(given["runs"]["id"]) + 1
        runs = {name: values * count for name, values in given["runs"].items()}
        runs["id"] = [f"r{place}" for place in range(len(runs["id"]))]
        params = {name: {"values": one["values"] * count, "absent": []} for name, one in given["params"].items()}
        route.fulfill(json={**given, "total": len(runs["id"]), "runs": runs, "params": params})

    tab.page.route(f"**{path}*", many)
    at_table(tab, world.page("sweeps", world.sweep))
    tab.page.locator(".run-table").focus()
    took = tab.page.evaluate(
        """() => { const begin = performance.now();
        document.querySelector('.run-table thead button[data-column="p.lr"]').click();
        return performance.now() - begin; }"""
    )
    assert took < 1000, took
    tab.page.keyboard.press("End")
    tab.until("document.querySelector('tr.active')?.getAttribute('aria-rowindex') > 10000")
    assert tab.page.evaluate("document.querySelectorAll('.run-table tbody tr').length") < 80


def test_a_sweep_without_runs_says_how_to_start_some(tab, world):
    """And one whose filter leaves none says that."""
    tab.goto(world.page("sweeps", world.empty))
    tab.page.locator("#runs").scroll_into_view_if_needed()
    tab.until_text("sweeper launch", "#runs")
    tab.goto(world.page("sweeps", world.sweep) + "?filter=val/loss<-1")
    tab.page.locator("#runs").scroll_into_view_if_needed()
    tab.until_text("No run passes the filter", "#runs")
