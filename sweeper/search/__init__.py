"""Search: what to run next and what to stop, as pure functions of a definition and its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeper.run import StopDecision as StopDecision
from sweeper.search.stop_decision import Judged as Judged
from sweeper.search.stop_decision import judge as judge
from sweeper.search.stop_decision import stop_decision as stop_decision
from sweeper.search.suggest import Suggestion as Suggestion
from sweeper.search.suggest import expected_runs as expected_runs
from sweeper.search.suggest import goes_on as goes_on
from sweeper.search.suggest import suggest as suggest

if TYPE_CHECKING:
    from sweeper.definition.early_terminate import OthersAt as OthersAt
    from sweeper.definition.early_terminate import Reached as Reached


def __getattr__(name: str) -> object:
    """Import the models of the sweep file when somebody asks for what is theirs: a status needs none of them."""
    if name in {"OthersAt", "Reached"}:
        from sweeper.definition import early_terminate

        return getattr(early_terminate, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
