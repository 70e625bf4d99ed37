"""Search: what to run next and what to stop, as pure functions of a definition and its runs."""

from sweeper.search.engine import Suggestion as Suggestion
from sweeper.search.engine import expected_runs as expected_runs
from sweeper.search.engine import suggest as suggest
from sweeper.search.hyperband import StopDecision as StopDecision
from sweeper.search.hyperband import stop_decision as stop_decision
