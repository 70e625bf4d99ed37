"""Writes the table of docs/protocol.md: what each release of the SDK does at our server, as a whole round has shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdks.matrix import Matrix
from tests.sdks.releases import RELEASES

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


def pytest_configure(config: pytest.Config) -> None:
    """Where the results come together: with xdist, in the process that the workers report to."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(MatrixWriter(), "sdk matrix")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note which scenario a test is, and of which release."""
    marker, call = item.get_closest_marker("scenario"), getattr(item, "callspec", None)
    if marker and call and "sdk" in call.params:
        item.user_properties += [("scenario", marker.args[0]), ("release", call.params["sdk"])]


class MatrixWriter:
    """Collects the results, and writes the table if none is lacking.

    Attributes:
        matrix: What is known so far.
    """

    def __init__(self) -> None:
        self.matrix = Matrix()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a result; a test that could not be set up has none."""
        about = dict(report.user_properties)
        if "scenario" in about and (report.when == "call" or report.failed):
            self.matrix.note(str(about["release"]), str(about["scenario"]), report.outcome)

    def pytest_sessionfinish(self) -> None:
        """Write the table."""
        if self.matrix.is_whole(RELEASES):
            text = PAGE.read_text(encoding="utf-8")
            PAGE.write_text(self.matrix.within(text, RELEASES), encoding="utf-8")
