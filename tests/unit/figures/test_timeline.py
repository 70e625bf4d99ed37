"""The timeline: what ran where and when."""

from __future__ import annotations

from sweeper.figures.timeline import MOST_BARS, MOST_ROWS, Stretch, timeline
from tests.unit.figures.conftest import HOSTILE, drawn, texts


def stretch(start: float, end: float, row: str = "gpu0", **more) -> Stretch:
    return Stretch(row=row, start=start, end=end, **{"fate": "finished", **more})


def test_a_row_for_each_slot_and_a_mark_for_each_retry(read):
    """Slots stand in their order, ten behind nine; a second attempt begins with a mark."""
    found = [stretch(0, 7200), stretch(0, 50, "gpu10"), stretch(0, 60, "gpu9", fate="failed")]
    figure = timeline([*found, stretch(80, 90, "gpu9", attempt=2, told=HOSTILE)], by_slot=True)
    root = read(figure)
    assert [text for text in texts(root) if text.startswith("gpu")] == ["gpu0", "gpu9", "gpu10"]
    assert len(drawn(root, "best")) == 2  # one of them in the key
    assert "1 were retries" in figure.description
    assert {"0 h", "1 h", "2 h"} <= set(texts(root))


def test_without_slots_runs_are_packed(read):
    """What ran at one time stands in rows of its own; what came later takes a free one."""
    figure = timeline([stretch(0, 10, ""), stretch(5, 15, ""), stretch(10, 20, "")], by_slot=False)
    read(figure)
    assert "in 2 rows" in figure.description


def test_it_is_bounded():
    """A hundred slots and ten thousand attempts have a picture that can be sent, and it says what is left out."""
    figure = timeline([stretch(i, i + 1, f"s{i % 100}") for i in range(10_000)], by_slot=True)
    assert f"The last {MOST_BARS} of 10000 attempts. {MOST_ROWS} of 100 rows." == figure.note
    assert len(figure.body) < 300_000


def test_nothing_and_no_time_at_all(read):
    """No attempts: no figure; one that took no time is still seen."""
    assert timeline([], by_slot=True) is None
    read(timeline([stretch(5, 5)], by_slot=True))
