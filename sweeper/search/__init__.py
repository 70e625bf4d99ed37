"""Search: what to run next and what to stop, as pure functions of a definition and its runs."""

from sweeper.definition.early_terminate import OthersAt as OthersAt
from sweeper.definition.early_terminate import Reached as Reached
from sweeper.run import StopDecision as StopDecision
from sweeper.search.stop_decision import Judged as Judged
from sweeper.search.stop_decision import judge as judge
from sweeper.search.stop_decision import stop_decision as stop_decision
from sweeper.search.suggest import Suggestion as Suggestion
from sweeper.search.suggest import expected_runs as expected_runs
from sweeper.search.suggest import suggest as suggest
