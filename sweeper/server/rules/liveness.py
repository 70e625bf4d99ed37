"""For how long silence is borne: of agents, of runs without one, and how often a lost run is handed out again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LivenessPolicy:
    """What `sweeper serve --heartbeat-timeout` and `--lost-retries` set.

    Attributes:
        agent_s: Seconds of silence after which an agent and its runs are given up. An agent beats every 5 s; the
            server holds no heartbeat for longer than a third of this time.
        bare_run_s: The same for a run without an agent: nobody but its own stream speaks for it, which says something
            every 30 s at the latest (wandb-core 0.31).
        lost_retries: How often a run whose agent fell silent is handed out again.
    """

    agent_s: float = 60.0
    bare_run_s: float = 300.0
    lost_retries: int = 2

    def hears(self, heartbeat_at: float, *, now: float) -> bool:
        """Whether an agent that was last heard at a time still counts as there."""
        return heartbeat_at >= now - self.agent_s


DEFAULT = LivenessPolicy()
