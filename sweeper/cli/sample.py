"""`sweeper sample`: configurations as the search would draw them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeper.cli.options import AsJson
from sweeper.cli.output import err, escape, out, print_json
from sweeper.errors import DefinitionError

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition
    from sweeper.run import Params

MOST = 1000
"""Each one is found in sight of all before it."""


def sample(
    file: Annotated[Path, typer.Argument(help="The sweep file (YAML).", show_default=False)],
    number: Annotated[int, typer.Option("-n", "--number", min=1, max=MOST, help="How many configurations.")] = 5,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="What to draw from; the file's `seed` or 0 by default.", show_default=False),
    ] = None,
    as_args: Annotated[
        bool, typer.Option("--args", help="As command-line arguments, a line each: what `${args}` stands for.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show configurations as the search would draw them, without a server: the same seed gives the same ones.

    Of a grid the first ones, in the order in which they would be handed out. Of bayes what its engine draws while it
    knows no result: later ones depend on what the runs log.

    Example: sweeper sample sweeps/random.yaml -n 3 --seed 7 --args
    """
    if as_args and as_json:
        raise typer.BadParameter("give one of --args and --json", param_hint="--args")
    from sweeper.cli.check import say_faults
    from sweeper.definition.check import check_file
    from sweeper.search.preview import first_suggestions, seed_of

    checked = check_file(file)
    definition = checked.sweep
    say_faults(checked)
    if definition.scheduler:
        fix = "ask the scheduler itself: `sweeper create` and `sweeper launch` start it"
        raise DefinitionError(f"{file}: a scheduler of the file's own ({definition.scheduler.engine}) draws", fix)
    samples, used = first_suggestions(definition, number, seed=seed), seed_of(definition, seed)
    if as_json:
        _print_json(file, definition, samples, used)
    elif as_args:
        for one in samples:
            print_args(definition, one)
    else:
        _print(definition, samples)
    _comment(definition, samples, number, is_seeded=seed is not None or definition.seed is not None)


def _print_json(file: Path, definition: SweepDefinition, samples: Sequence[Params], seed: int) -> None:
    told: dict[str, Any] = {"file": str(file), "method": definition.method, "seed": seed}
    told |= {"expected_runs": definition.expected_runs, "samples": samples}
    print_json(told)


def print_args(definition: SweepDefinition, sample: Params) -> None:
    """Print a configuration as an agent (wandb 0.31) gives it to a script, ready for a shell; a group is one value."""
    words = (f"--{name}={value}" for name, value in definition.space.nest(sample).items())
    out.print(escape(" ".join(map(quote, words))), soft_wrap=True)


def _print(definition: SweepDefinition, samples: Sequence[Params]) -> None:
    from sweeper.readable import parameters
    from sweeper.search.preview import shown

    width = len(str(len(samples)))
    for place, one in enumerate(samples, start=1):
        out.print(f"[dim]{place:>{width}}[/]  {escape(parameters(shown(definition, one)))}", soft_wrap=True)


def _comment(definition: SweepDefinition, samples: Sequence[Params], number: int, *, is_seeded: bool) -> None:
    """Say on stderr what the samples do not say of themselves."""
    if len(samples) < number:
        err.print(f"[dim]that is all: the sweep has {len(samples)} runs[/]")
    if definition.learns:
        err.print("[dim]drawn while no result is known: a sweep goes by the results of its runs[/]", soft_wrap=True)
    if not is_seeded and (definition.method != "grid" or definition.sweeper.order == "random"):
        err.print("[dim]the file has no seed, so a server draws its own: these are from seed 0[/]", soft_wrap=True)
