"""Search: what to run next and what to stop, as pure functions of a definition and its runs."""

from sweeper.run import StopDecision as StopDecision
from sweeper.search.engine import Suggestion as Suggestion
from sweeper.search.engine import expected_runs as expected_runs
from sweeper.search.engine import suggest as suggest
from sweeper.search.stopping import Judged as Judged
from sweeper.search.stopping import OthersAt as OthersAt
from sweeper.search.stopping import Reached as Reached
from sweeper.search.stopping import judge as judge
from sweeper.search.stopping import stop_decision as stop_decision
