"""The Typer application and its one broad `except`."""

from __future__ import annotations

import contextlib
import gc
import sys

import typer

import sweeper
from sweeper.cli import (
    best,
    cancel,
    check,
    compare,
    create,
    doctor,
    export,
    launch,
    logs,
    pause,
    report,
    resume,
    retry,
    runs,
    schema,
    serve,
    server,
    show,
    status,
    stop,
    sync,
)
from sweeper.cli import list as list_
from sweeper.cli.command_group import CommandGroup
from sweeper.cli.output import complain, complain_at_length, print_error
from sweeper.cli.streams import drop_stdout, prepare_streams
from sweeper.errors import SweeperError
from sweeper.machine_errors import in_words
from sweeper.private_files import check_home
from sweeper.settings import Settings, asks_for_tracebacks

app = typer.Typer(
    name="sweeper",
    cls=CommandGroup,
    help="W&B Sweeps that run anywhere: every GPU, no account, no network.\n\n"
    "sweeper create sweeps/bayes.yaml && sweeper launch --count 20 && sweeper status",
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
app.command("list")(list_.list_)
app.command()(runs.runs)
app.command("show")(show.show_run)
app.command()(compare.compare)
app.command()(best.best)
app.command()(report.report)
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
    context: typer.Context,
    version: bool = typer.Option(  # noqa: ARG001 its callback prints it
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Take the options before the command."""
    if context.invoked_subcommand not in {"check", "schema"}:  # which read and write nothing there
        check_home(Settings.from_env().home)


def main() -> int:
    """Run the command line: errors as two lines and exit code 1, usage errors 2, Ctrl-C 130."""
    try:
        return _run()
    finally:
        gc.freeze()  # Python ends in a quarter of the time if it looks for no garbage among all that was imported


def _run() -> int:
    prepare_streams()
    try:
        try:
            app()
        except SystemExit as end:  # which Typer raises in the end, whatever it was
            sys.stdout.flush()  # here, where a full disk is still an error in words
            return end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
    except KeyboardInterrupt:  # outside of Typer, which takes one within a command
        return 130
    except BrokenPipeError:  # `sweeper status | head`
        drop_stdout()
        return 0
    except Exception as error:  # noqa: BLE001 a person sees no traceback unless they ask for it
        if asks_for_tracebacks():
            complain_at_length()
        told = in_words(error) or _our_fault(error)
        complain(told)
        if "--json" in sys.argv:
            with contextlib.suppress(OSError):  # stdout itself may be the trouble
                print_error(told)
        drop_stdout()  # Python would try once again to print what a full disk refused
        return 1
    return 0


def _our_fault(error: Exception) -> SweeperError:
    return SweeperError(f"{type(error).__name__}: {error}", "this is a fault of sweeper: SWEEPER_DEBUG=1 shows where")
