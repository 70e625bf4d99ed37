"""The page and the text: whole, harmless, and of no other place."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.failures import Kind
from sweeper.results.report import rendering
from sweeper.results.report.facts import Report
from sweeper.results.report.pictures import pictures
from sweeper.run import Run, RunState
from sweeper.search.confirmation import Confirmation, Contender
from tests.unit.results.report.conftest import HOSTILE, PLAIN, START, make_report, make_run, many

LOADS = {"src", "href", "xlink:href", "srcset", "data", "action", "formaction", "poster", "background", "ping", "style"}


class Page(HTMLParser):
    """Collects what a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data):
        """Note a text."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All texts, each once spaced."""
        return " ".join(" ".join(self.words).split())


def html(report: Report) -> str:
    return rendering.html(report, pictures(report))


def markdown(report: Report) -> str:
    return rendering.markdown(report, pictures(report), "report figures")


def hostile_report() -> Report:
    """Everything that others can write is hostile."""
    definition = PLAIN.model_copy(update={"name": HOSTILE})
    runs = [
        Run(
            id=f"r{i}",
            state=RunState.FAILED if i % 3 == 2 else RunState.FINISHED,
            name=HOSTILE,
            reason=HOSTILE,
            params={"lr": 0.1 * i, "kind": HOSTILE if i % 2 else [HOSTILE], HOSTILE: HOSTILE},
            history=(i / 20, i / 10),
        )
        for i in range(1, 15)
    ]
    return make_report(*runs, definition=definition, made_on=(("GPU", HOSTILE),))


@pytest.mark.parametrize(
    "make", [make_report, lambda: make_report(*many(60)), hostile_report], ids=["empty", "full", "x"]
)
def test_nothing_is_loaded_and_nothing_runs(make):
    """No address in any attribute or style, no script, no handler: the file shows the same on a sealed machine."""
    text = html(make())
    page = Page(text)
    assert not {"script", "link", "iframe", "img", "object", "embed", "form", "base", "image", "use"} & set(page.tags)
    assert [pair for pair in page.attributes if pair[0] in LOADS or pair[0].startswith("on")] == []
    assert not re.search(r"url\(|@import|expression\(", "".join(re.findall(r"<style>(.*?)</style>", text, re.DOTALL)))
    policies = [value for name, value in page.attributes if name == "content" and "default-src" in value]
    assert policies[0].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_hostile_text_is_shown_and_does_nothing():
    """It stands in the page as it was written, without what a terminal or a reading direction obeys."""
    text = html(hostile_report())
    assert "<script>alert(1)</script>" in Page(text).text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_markdown_of_hostile_text_is_code():
    """No tag, link, picture, mention or new cell comes of it: all of it stands between backticks."""
    text = markdown(hostile_report())
    outside = re.sub(r"(`+).+?\1", "", re.sub(r"(?ms)^(```+).*?^\1$", "", text))
    assert "<script" not in outside
    assert "@you" not in outside
    assert "](http" not in outside
    rows = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("| ")]
    table = [row.count("|") for row in rows if row.startswith("| 1 |") or "| name |" in row]
    assert len(set(table)) == 1


def test_the_page_says_what_was_found():
    """Best value and parameters, how to run it again, failures, leaderboard, definition, versions."""
    report = make_report(*many(60), made_on=(("GPU", "NVIDIA H200"),), made_by=(("sweeper", "9.9"),))
    said = Page(html(report)).text
    best = report.status.standing.best
    for part in (
        f"{best.best:.4g}",
        "sweeper create rerun-",
        "sweeper launch --count 1",
        "NVIDIA H200",
        "9.9",
        "Leaderboard",
        "Failures",
        "early_terminate",
        "What is not known",
        "So few runs give a hint" if max(weight.n for weight in report.weights) < 50 else "From",
    ):
        assert part in said


def test_failures_are_grouped_with_the_end_of_a_log():
    """Two of one kind are one row; what the last of them printed is there, escaped."""
    at = START.timestamp()
    why = {"outcome": AttemptOutcome.FAILED, "reason": "ValueError: 7", "kind": Kind.EXCEPTION}
    history = [
        Attempt(run_id=f"r{i}", slot="gpu0", at=at + i, log="/x/a.log", log_tail=("Traceback", HOSTILE), **why)
        for i in (1, 2)
    ]
    report = make_report(make_run(1, RunState.FAILED), make_run(2, RunState.FAILED), history=history)
    said = Page(html(report)).text
    assert "2 exception ValueError: 7" in said
    assert "Traceback </title></svg><script>" in said
    assert "| 2 | exception | `ValueError: 7` | `r2` |" in markdown(report)


def test_the_leaders_come_in_their_order():
    """The best first; none that failed; of a sweep without a metric the last ones."""
    led = rendering.leaders(make_report(*many(60)), 10)
    values = [run.best for run in led]
    assert values == sorted(values, reverse=True)
    assert all(run.state is not RunState.FAILED for run in led)
    plain = SweepDefinition.from_yaml("method: random\nparameters: {lr: {min: 0.0, max: 1.0}}")
    led = rendering.leaders(make_report(*many(5), definition=plain), 3)
    assert [run.id for run in led] == ["r4", "r3", "r2"]


def test_an_empty_sweep_says_what_to_do():
    """What will be here, and the command that makes it so."""
    assert "sweeper launch e/p/s1" in Page(html(make_report())).text
    assert "run.log({" in Page(html(make_report(make_run(1)))).text
    plain = SweepDefinition.from_yaml("method: random\nparameters: {lr: {min: 0.0, max: 1.0}}")
    assert "has no metric" in Page(html(make_report(make_run(1), definition=plain))).text
    assert "has no metric" in markdown(make_report(make_run(1), definition=plain))


def test_importance_of_few_runs_is_not_claimed():
    """Below ten runs nothing is told, and of some tens it is called a hint."""
    assert "Cannot be told yet" in html(make_report(*(make_run(i, RunState.FINISHED, 0.1 * i) for i in range(5))))
    assert "a hint" in html(make_report(*(make_run(i, RunState.FINISHED, 0.01 * i) for i in range(20))))


def test_markdown_shows_its_figures_from_the_folder():
    """Each figure is a picture with words of ours; a folder with a space is still found."""
    text = markdown(make_report(*many(60)))
    assert text.startswith("<!-- sweeper report -->")
    assert "![best so far](report%20figures/best-so-far.svg)" in text
    assert "\n\n\n" not in text


def test_a_thousand_runs_are_below_two_megabytes():
    """As are ten thousand: a report can be sent by mail."""
    assert len(html(make_report(*many(1000))).encode()) < 2_000_000
    assert len(html(make_report(*many(10_000))).encode()) < 2_000_000


def test_code_fences_hold():
    """Backticks in a text do not end what they stand in."""
    assert rendering.code("a`b``c") == "```a`b``c```"
    assert rendering.code("`") == "`` ` ``"
    assert rendering.code("") == "`-`"
    assert rendering.fenced("x\n```\ny").startswith("````")
    assert rendering.cell("a|b") == "`a\\|b`"


def test_a_confirmation_is_in_the_report():
    """With its findings, in both formats; a sweep that nobody confirmed has no word of it."""
    contenders = (
        Contender(
            params={"lr": 0.1, "kind": HOSTILE},
            in_sweep=0.9,
            planned=2,
            n=2,
            mean=0.8,
            low=0.7,
            high=0.9,
            verdict="first",
        ),
        Contender(params={"lr": 0.2, "kind": HOSTILE}, in_sweep=0.7, planned=2, n=1, failed=1, mean=0.6),
    )
    found = Confirmation(
        sweep="s1",
        sweeps=("c1",),
        seed_parameter="seed",
        metric="acc",
        goal="maximize",
        planned=4,
        ended=4,
        contenders=contenders,
        findings=("No winner.",),
    )
    report = make_report(*many(10), confirmation=found)
    said = Page(html(report)).text
    for part in ("Confirmed with other seeds", "lr=0.1", "0.7 to 0.9", "1 of 2", "best mean", "No winner."):
        assert part in said
    lines = markdown(report).splitlines()
    assert "| 1 | `lr=0.1` | 0.9 | 0.8 | 0.7 to 0.9 | 2 | best mean |" in lines
    assert "- No winner." in lines
    assert "Confirmed" not in html(make_report(*many(10))) + markdown(make_report(*many(10)))
