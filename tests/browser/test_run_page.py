"""The page of a run, but for its charts: tabs, head, log, machine, files with Netron, artifacts."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import pytest

from tests.browser.browsing import PHONE

TABS = ["Charts", "Overview", "System", "Logs", "Files", "Artifacts"]


@pytest.fixture
def run(tab, world):
    """What opens a tab of the page of the run that has everything."""

    def open_(name="", **query):
        words = "&".join(f"{key}={value}" for key, value in ({"tab": name} | query).items() if value)
        return tab.goto(f"{world.page('runs', world.run)}?{words}")

    return open_


def open_panels(tab):
    """Give the names of the tabs that are open."""
    return tab.page.evaluate("[...document.querySelectorAll('[role=tabpanel]:not([hidden])')].map((one) => one.id)")


def test_tabs_are_moved_through_by_keys(run):
    """Arrows, Home and End move and open; the address keeps which one, and a reload finds it again."""
    tab = run()
    assert [one.inner_text() for one in tab.page.get_by_role("tab").all()] == TABS
    assert open_panels(tab) == ["panel-charts"]
    tab.page.locator("#tab-charts").focus()
    for key, panel in (
        ("ArrowRight", "overview"),
        ("End", "artifacts"),
        ("ArrowRight", "charts"),
        ("ArrowLeft", "artifacts"),
    ):
        tab.page.keyboard.press(key)
        assert open_panels(tab) == [f"panel-{panel}"]
        assert tab.page.evaluate("document.activeElement.id") == f"tab-{panel}"
    assert "tab=artifacts" in tab.page.url
    tab.page.reload()
    assert open_panels(tab) == ["panel-artifacts"]
    tab.page.keyboard.press("Tab")
    tab.page.locator("#tab-artifacts").focus()
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.id") == "panel-artifacts"


def test_the_head_shows_what_wandb_reads(tab, world):
    """State, best and last value, and the parameters that the sweep varies."""
    name = world.finished()[0]
    code = f"run = api.run('{world.entity}/{world.project}/{name}')\n"
    code += "rows = [row['val/loss'] for row in run.scan_history(keys=['val/loss'])]\n"
    read = world.api(code + "print(json.dumps([run.state, min(rows), rows[-1], run.config, run.name]))")
    state, best, last, config, title = read
    tab.goto(world.page("runs", name))
    assert tab.text("h1").split("\n")[0].startswith(title)
    assert tab.text('[data-fact="fate"]') == state
    assert float(tab.text('[data-fact="best"]')) == pytest.approx(best, rel=1e-3)
    assert float(tab.text('[data-fact="last"]')) == pytest.approx(last, rel=1e-3)
    swept = tab.text(".swept")
    assert all(word in swept for word in ("lr", "dropout", "units", "optimizer", str(config["optimizer"])))
    assert "seed" not in swept


def test_a_failed_run_says_why(tab, world):
    """In words, at once and with its attempts."""
    tab.goto(world.page("runs", world.failed()[0]))
    assert tab.text('[data-fact="fate"]') == "failed"
    assert tab.text(".reason").strip()
    tab.page.get_by_role("tab", name="Overview").click()
    assert "Attempts" in tab.text('[data-tab="overview"]')


def test_the_overview_shows_config_summary_and_machine(run, world):
    """As wandb reads them."""
    read = f"run = api.run('{world.entity}/{world.project}/{world.run}')\n"
    metadata, config = world.api(read + "print(json.dumps([run.metadata, dict(run.config)]))")
    text = run("overview").text('[data-tab="overview"]')
    assert metadata["host"] in text
    assert metadata["python"] in text
    assert f"{config['learning_rate']}" in text
    assert "optimizer.name" in text
    assert "it is slow" in text


def test_the_log_has_its_colours_and_marks_errors(run):
    """Of 16 and of all, as text that can be read; what went to stderr is marked."""
    tab = run("logs")
    tab.until_text("this went to stderr", ".log")
    spans = "[...document.querySelectorAll('.log-line span[style]')]"
    colours = tab.page.evaluate(f"{spans}.map((one) => [one.innerText, getComputedStyle(one).color])")
    assert {words for words, _ in colours} >= {"step 0", "loss"}
    assert len({colour for _, colour in colours}) == 2
    errors = [one.inner_text() for one in tab.page.locator(".log-line.is-error").all()]
    assert any("this went to stderr" in line for line in errors)


def test_the_log_is_searched_and_linked(run):
    """Words are found through colours; a line's number is its address, which opens at it."""
    tab = run("logs")
    tab.until_text("step 5", ".log")
    tab.page.get_by_label("Search the log").fill("STEP 3")
    tab.until_text("1 of 1", ".log-status")
    assert tab.text(".log-line.is-found mark") == "step 3"
    number = tab.page.locator(".log-line.is-found").get_attribute("id")
    tab.page.get_by_label("Search the log").fill("no such words")
    tab.until_text("nowhere", ".log-status")
    tab.page.locator(f"#{number} a").click()
    assert tab.page.url.endswith(f"#{number}")
    tab.page.reload()
    tab.until(f"document.querySelector('.log-line.is-linked')?.id === '{number}'")


def test_a_long_log_is_shown_without_a_pause(tab, world):
    """Of 100,000 lines the browser holds some dozens, wherever it looks."""
    _print_many(world, "long-log", 100_000)
    tab.goto(world.page("runs", "long-log") + "?tab=logs")
    tab.until_text("line 99999", ".log")
    assert "100,000 lines" in tab.text('[data-tab="logs"]')
    tab.page.evaluate("document.querySelector('.log').scrollTop = 20 * 50000")
    tab.page.locator(".log").hover()
    tab.until_text("line 50010", ".log")
    assert tab.page.evaluate("document.querySelectorAll('.log-line').length") < 150
    tab.page.get_by_label("Search the log").fill("line 77777")
    tab.until_text("1 of 1", ".log-status")
    tab.until_text("line 77777", ".log")


def _print_many(world, name, count):
    query = """mutation($name: String, $project: String) { upsertBucket(input: {name: $name, modelName: $project}) {
        bucket { id } } }"""
    world.graphql(query, name=name, project=world.project)
    for start in range(0, count, 20_000):
        lines = [f"2026-01-31T12:00:00.0 \x1b[3{i % 8}mline\x1b[0m line {i}" for i in range(start, start + 20_000)]
        body = json.dumps({"files": {"output.log": {"offset": start, "content": lines}}}).encode()
        world.send(f"/files/{world.entity}/{world.project}/{name}/file_stream", "POST", body)


def test_the_machine_is_drawn(run):
    """A chart of each kind that the SDK measures, with its value in words."""
    tab = run("system")
    tab.until("document.querySelectorAll('[data-tab=system] .uplot').length > 3", "charts of the machine")
    text = tab.text('[data-tab="system"]')
    for words in ("CPU at work", "Memory of the machine", "Disk taken", "Network"):
        assert words in text
    label = tab.page.locator('[data-tab="system"] .chart').first.get_attribute("aria-label")
    assert re.search(r"\d", label)


@pytest.mark.parametrize(
    ("file", "words"),
    [("table.csv", "2 rows"), ("numbers.json", '"one": 1'), ("notes/read me.txt", "what this run is about")],
)
def test_files_are_shown_as_what_they_are(run, file, words):
    """A table as a table, JSON laid out, text as text; the address says which one."""
    tab = run("files")
    tab.page.locator(f'.tree a[data-path="{file}"]').click()
    tab.until_text(words, ".preview")
    assert "file=" in tab.page.url
    tab.page.reload()
    tab.until_text(words, ".preview")


def test_a_picture_is_shown(run):
    """By the browser, from the run's own files."""
    tab = run("files")
    tab.page.locator('.tree a[data-path$=".png"]').first.click()
    tab.until("document.querySelector('.preview img')?.naturalWidth === 24")


def test_a_file_is_downloaded_as_it_is(run, world):
    """The one that wandb downloads."""
    tab = run("files", file="numbers.json")
    tab.until_text('"one": 1', ".preview")
    with tab.page.expect_download() as found:
        tab.page.get_by_role("link", name="download").click()
    content = world.send(f"/files/{world.entity}/{world.project}/{world.run}/numbers.json")
    assert found.value.suggested_filename == "numbers.json"
    assert Path(found.value.path()).read_bytes() == content


def test_netron_draws_the_model(run):
    """In the page, with nothing asked of anybody else and no question to the person."""
    tab = run("files", file="model.onnx")
    frame = tab.page.frame_locator("iframe.netron")
    frame.get_by_text("MatMul").first.wait_for(timeout=20_000)
    frame.get_by_text("Relu").first.wait_for()
    assert not frame.locator("#message").is_visible()


TRY_ALL = """async (path) => {
    const failed = async (attempt) => { try { return await attempt(); } catch (error) { return error.name; } };
    const ask = (address, options) => failed(async () => (await fetch(address, options)).status);
    const headers = { "Content-Type": "application/json", "X-Sweeper-Page": "1" };
    const post = { method: "POST", headers, body: "{}", credentials: "include" };
    return {
        cookies: document.cookie, origin: window.origin, storage: await failed(() => window.localStorage.length),
        graphql: await ask("/graphql", post), action: await ask(`/-/actions${path}/stop`, post),
        form: await ask("/logout", { method: "POST", mode: "no-cors", credentials: "include" }),
        data: await ask(`/-/data${path}`, { credentials: "include" }), page: await ask("/", { credentials: "include" }),
    };
}"""
"""What a model would try that runs as a script in Netron."""
TRY_PAGE = """() => [() => window.parent.document.title, () => { window.top.location = "/"; }].map((attempt) => {
    try { return attempt(); } catch (error) { return error.name; }
})"""
"""The same on the page around it."""
KEEP_EVAL = "const kept = window.eval; Object.defineProperty(window, 'eval', { get: () => kept, set: () => {} });"
"""Netron puts an error in its place, and Playwright needs it."""


@pytest.mark.parametrize("window", [False, True], ids=["frame", "window"])
def test_a_model_that_runs_in_netron_can_do_nothing_in_our_name(tab, run, world, window):
    """It sees no cookie of ours, no storage and no page, and nothing that it asks for is answered; also in a window."""
    tab.page.context.add_init_script(KEEP_EVAL)
    run("files", file="model.onnx")
    tab.page.frame_locator("iframe.netron").get_by_text("MatMul").first.wait_for(timeout=20_000)
    if window:
        with tab.page.context.expect_page() as opened:
            tab.page.get_by_role("link", name="open in a window").click()
        place = opened.value
        place.get_by_text("MatMul").first.wait_for(timeout=20_000)
    else:
        place = next(frame for frame in tab.page.frames if "/-/netron/" in frame.url)
    assert tab.faults == []
    found = place.evaluate(TRY_ALL, f"/{world.entity}/{world.project}/runs/{world.run}")
    assert [found.pop(name) for name in ("cookies", "origin", "storage")] == ["consent=1", "null", "SecurityError"]
    assert set(found.values()) == {"TypeError"}, found
    if not window:
        assert place.evaluate(TRY_PAGE) == ["SecurityError", "SecurityError"]
    assert tab.page.evaluate("fetch('/-/data/search?q=x').then((answer) => answer.status)") == 200
    tab.faults.clear()  # what was refused is told there, too


def test_artifacts_lead_to_each_other(run, world):
    """From the run to what it made and used, and from there back."""
    tab = run("artifacts")
    text = tab.text('[data-tab="artifacts"]')
    assert "digits:v0" in text
    assert "net:v0" in text
    tab.page.get_by_role("link", name="net:v0").first.click()
    tab.page.wait_for_url("**/artifacts/model/net/v0")
    assert "candidate" in tab.text("h1")
    tab.page.get_by_role("tab", name="Lineage").click()
    assert "digits:v0" in tab.text(".lineage")
    tab.page.get_by_role("tab", name="Files").click()
    tab.page.locator('.tree a[data-path="model.onnx"]').click()
    tab.page.frame_locator("iframe.netron").get_by_text("Relu").first.wait_for(timeout=20_000)
    read = world.api(
        f"a = api.artifact('{world.entity}/{world.project}/net:v0')\n"
        "print(json.dumps([a.size, a.digest, len(a.manifest.entries), a.url]))"
    )
    size, digest, count, url = read
    assert tab.page.url.startswith(url)
    tab.page.get_by_role("tab", name="Overview").click()
    assert digest in tab.text("main")
    assert (count, size) == (1, int(size))


@pytest.mark.parametrize("name", ["", "overview", "system", "logs", "files", "artifacts"])
def test_nothing_is_wider_than_a_phone(open_tab, world, name):
    """Each tab fits; what is wider scrolls by itself."""
    tab = open_tab(PHONE)
    tab.goto(world.page("runs", world.run) + (f"?tab={name}" if name else ""))
    tab.settle()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_the_head_follows_a_run_at_work(tab, world):
    """Rows, values and state come without a reload, and a new line of the log appears."""
    name = f"at-work-{secrets.token_hex(4)}"
    query = """mutation($name: String, $project: String) { upsertBucket(input: {name: $name, modelName: $project}) {
        bucket { id } } }"""
    world.graphql(query, name=name, project=world.project)

    def send(**body):
        path = f"/files/{world.entity}/{world.project}/{name}/file_stream"
        world.send(path, "POST", json.dumps(body).encode())

    tab.goto(world.page("runs", name) + "?tab=logs")
    tab.until_text("Nothing was printed yet", '[data-tab="logs"]')
    send(
        files={
            "wandb-history.jsonl": {"offset": 0, "content": ['{"_step": 0, "loss": 1.5}']},
            "output.log": {"offset": 0, "content": ["2026-01-31T12:00:00.0 it begins"]},
        }
    )
    tab.until_text("it begins", ".log")
    tab.until_text("1", '[data-fact="rows"]')
    tab.page.get_by_role("tab", name="Overview").click()
    send(files={"wandb-summary.json": {"offset": 0, "content": ['{"loss": 0.625, "<b>": 1}']}})
    tab.until_text("0.625", '[data-pairs="Summary"]')
    assert "<b>" in tab.text('[data-pairs="Summary"]')
    send(complete=True, exitcode=0)
    tab.until_text("finished", '[data-fact="fate"]')
