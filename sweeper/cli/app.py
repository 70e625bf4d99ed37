"""The Typer application and its one broad `except`."""

from __future__ import annotations

import sys
import traceback

import typer

import sweeper
from sweeper.cli import (
    best,
    cancel,
    check,
    create,
    doctor,
    export,
    launch,
    logs,
    pause,
    resume,
    retry,
    schema,
    serve,
    server,
    status,
    stop,
    sync,
)
from sweeper.cli.command_group import CommandGroup
from sweeper.cli.output import complain
from sweeper.errors import SweeperError
from sweeper.settings import Settings

app = typer.Typer(
    name="sweeper",
    cls=CommandGroup,
    help="W&B Sweeps that run anywhere: every GPU, no account, no network.\n\n"
    "sweeper create sweeps/bayes.yaml && sweeper launch --gpus 0,1 --count 20 && sweeper status",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
# `--help` lists them in this order
app.command()(check.check)
app.command()(create.create)
app.command()(launch.launch)
app.command()(status.status)
app.command()(best.best)
app.command()(export.export)
app.command()(sync.sync)
app.command()(logs.logs)
app.command()(retry.retry)
app.command()(stop.stop)
app.command()(pause.pause)
app.command()(resume.resume)
app.command()(cancel.cancel)
app.command()(serve.serve)
app.command()(schema.schema)
app.command()(doctor.doctor)
app.add_typer(server.app, name="server")


def _version(value: bool) -> None:
    if value:
        typer.echo(f"sweeper {sweeper.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Take the options before the command."""


def main() -> int:
    """Run the command line: errors as two lines and exit code 1, usage errors 2, Ctrl-C 130."""
    try:
        app()
    except SweeperError as error:
        if Settings.from_env().debug:
            traceback.print_exc()
        complain(error)
        return 1
    except KeyboardInterrupt:  # outside of Typer, which takes one within a command
        return 130
    except BrokenPipeError:  # `sweeper status | head`
        sys.stderr.close()  # or Python itself would complain about the pipe at its end
        return 0
    except Exception as error:  # noqa: BLE001 a person sees no traceback unless they ask for it
        if Settings.from_env().debug:
            traceback.print_exc()
        fix = "this is a fault of sweeper: SWEEPER_DEBUG=1 shows where"
        complain(SweeperError(f"{type(error).__name__}: {error}", fix))
        return 1
    return 0
