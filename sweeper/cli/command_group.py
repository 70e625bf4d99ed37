"""The commands of `sweeper`, and the words that other tools have for them."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

OTHER_WORDS = {
    "agent": "launch",
    "run": "launch",
    "start": "launch",
    "train": "launch",
    "sweep": "create",
    "new": "create",
    "init": "create",
    "validate": "check",
    "lint": "check",
    "update": "edit",
    "change": "edit",
    "modify": "edit",
    "draw": "sample",
    "preview": "sample",
    "ls": "list",
    "sweeps": "list",
    "projects": "list",
    "ps": "list",
    "trials": "runs",
    "leaderboard": "runs --top 10",
    "info": "show RUN",
    "describe": "show RUN",
    "inspect": "show RUN",
    "plot": "show RUN",
    "diff": "compare RUN RUN",
    "watch": "status --watch",
    "tail": "logs",
    "kill": "cancel",
    "rm": "delete",
    "remove": "delete",
    "clean": "delete",
    "prune": "server prune",
    "continue": "resume",
    "rerun": "retry",
    "upload": "sync",
    "download": "best --download DIR",
    "version": "--version",
    "help": "--help",
}
"""What people type who know W&B's or another tool's words, and what it is here."""


class CommandGroup(TyperGroup):
    """Typer's group, which knows misspelt commands; this one also knows those of other tools."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is meant."""
        word = args[0] if args else ""
        if word in OTHER_WORDS and word not in self.commands:
            ctx.fail(f"No such command {word!r}. Did you mean: sweeper {OTHER_WORDS[word]}?")
        if word.endswith((".yaml", ".yml")):
            ctx.fail(f"No such command {word!r}. Did you mean: sweeper create {word}?")
        return super().resolve_command(ctx, args)
