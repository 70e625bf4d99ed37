"""What is to come of a sweep: whether it has runs left, what would give more, and whether anybody works on it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from shlex import quote

from sweeper.backend.sweep_view import AgentSeen
from sweeper.results.status import SweepStatus
from sweeper.run import RunState, SweepState

AGENT_HEARD = timedelta(seconds=20)
"""An agent that waits for a run asks every 5 s (wandb 0.31); one that has not for so long has gone."""


def why_over(status: SweepStatus) -> str:
    """Say why a sweep has no run left to give; empty if it may have some, or if nobody can tell from here."""
    facts, made = status.facts, status.progress
    if any(not run.state.ended for run in status.runs):
        return ""
    if status.reached_target:
        return f"a run has reached the target, {facts.metric} {facts.target:g}"
    if not made.total or len(status.runs) < made.total:
        return ""
    if facts.run_cap == made.total:
        return f"all {made.total} runs of its run_cap are done"
    if facts.method == "grid":
        return f"all {made.total} runs of its grid are done"
    # W&B's own server draws again what it has drawn before: there such a sweep is over when it says so
    return f"all {made.total} combinations of its parameters are done" if facts.state.ended else ""


def what_gives_more(status: SweepStatus) -> str:
    """Say what to do about a sweep that has no run left."""
    facts = status.facts
    ways: list[str] = []
    failed = [run for run in status.runs if run.state in {RunState.FAILED, RunState.CRASHED}]
    if failed and facts.state is not SweepState.CANCELED:
        ways.append(f"`sweeper retry {quote(facts.sweep)}` hands out again what failed ({len(failed)})")
    if status.reached_target:
        change = "a better `target:`"
    elif facts.run_cap == status.progress.total:
        change = "a higher `run_cap:`"
    else:
        change = "more values"
    ways.append(
        f"for more runs create another sweep, of a file with {change}: sweeper create FILE "
        "(--prior-run RUN lets it learn from a run of this one)"
    )
    return "; ".join(ways)


def is_idle(
    status: SweepStatus, agents: Iterable[AgentSeen], *, host: str, worked_until: datetime | None, now: datetime
) -> bool:
    """Whether nobody works on a sweep that goes on.

    Args:
        status: The sweep.
        agents: Its agents, as its server has heard them.
        host: This machine's name.
        worked_until: When a launch of this machine was last at work on the sweep, as far as it is known.
        now: The time (aware).
    """
    if not_idle(status):
        return False
    # an agent of a launch that has ended is still fresh in the server's memory; we know better
    gone = {agent for agent in agents if agent.host == host and worked_until and agent.heard_at <= worked_until}
    return not any(now - agent.heard_at < AGENT_HEARD for agent in set(agents) - gone)


def not_idle(status: SweepStatus) -> bool:
    """Whether a sweep needs nobody, or has somebody who can be seen without its agents."""
    at_work = any(run.at_work for run in status.runs)
    goes_on = status.facts.state in {SweepState.PENDING, SweepState.RUNNING}
    return not goes_on or at_work or bool(status.launchers)
