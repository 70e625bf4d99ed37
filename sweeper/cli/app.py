"""The Typer application and its one broad `except`."""

from __future__ import annotations

import contextlib
import gc
import sys

import typer

import sweeper
from sweeper import temporary_folder
from sweeper.backend import sdk_service
from sweeper.cli import (
    best,
    cancel,
    check,
    compare,
    confirm,
    create,
    delete,
    doctor,
    edit,
    export,
    launch,
    logs,
    pause,
    report,
    resume,
    retry,
    runs,
    sample,
    schema,
    serve,
    server,
    show,
    status,
    stop,
    sync,
    worker,
)
from sweeper.cli import list as list_
from sweeper.cli.command_group import CommandGroup
from sweeper.cli.output import complain, complain_at_length, print_error
from sweeper.cli.streams import STDOUT, drop_stdout, prepare_streams
from sweeper.errors import SweeperError, UsageError
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
app.command()(sample.sample)
app.command()(create.create)
app.command()(launch.launch)
app.command()(worker.worker)
app.command()(status.status)
app.command("list")(list_.list_)
app.command()(runs.runs)
app.command("show")(show.show_run)
app.command()(compare.compare)
app.command()(best.best)
app.command()(confirm.confirm)
app.command()(report.report)
app.command()(export.export)
app.command()(sync.sync)
app.command()(logs.logs)
app.command()(retry.retry)
app.command()(edit.edit)
app.command()(stop.stop)
app.command()(pause.pause)
app.command()(resume.resume)
app.command()(cancel.cancel)
app.command()(delete.delete)
app.command()(serve.serve)
app.command()(schema.schema)
app.command()(doctor.doctor)
app.add_typer(server.app, name="server")


_USAGE = 2
"""As Typer has it for what is no command line of ours."""


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
    if context.invoked_subcommand not in {"check", "sample", "schema"}:  # which read and write nothing there
        check_home(Settings.from_env().home)


def main() -> int:
    """Run the command line: errors as two lines and exit code 1, usage errors 2, Ctrl-C 130 (docs/exit-codes.md)."""
    try:
        return _run()
    finally:
        gc.freeze()  # Python ends in a quarter of the time if it looks for no garbage among all that was imported


def _run() -> int:
    prepare_streams()
    sdk_service.die_quietly()
    try:
        try:
            with temporary_folder.owned():
                try:
                    app()
                finally:
                    sdk_service.end()  # before the folder goes in which its socket lies
        except SystemExit as end:  # which Typer raises in the end, whatever it was
            code = _code(end)
            if code == _USAGE and asks_for_json():
                print_error(SweeperError("sweeper does not understand this command line", "stderr says what is wrong"))
            _flush()  # here, where a full disk is still an error in words
            return code
    except KeyboardInterrupt:  # outside of Typer, which takes one within a command
        return 130
    except Exception as error:  # noqa: BLE001 a person sees no traceback unless they ask for it
        if asks_for_tracebacks():
            complain_at_length()
        told = in_words(error) or _our_fault(error)
        complain(told)
        if asks_for_json():
            with contextlib.suppress(OSError):  # stdout itself may be the trouble
                print_error(told)
        drop_stdout()  # Python would try once again to print what a full disk refused
        return _USAGE if isinstance(told, UsageError) else 1
    return 0


def asks_for_json() -> bool:
    """Whether this process was started to print JSON; the command line itself may be what is wrong."""
    return "--json" in sys.argv


def _code(end: SystemExit) -> int:
    """Give the exit code of a command; Typer (0.29) has 1 for a broken pipe, and for a Ctrl-C at a question."""
    why = end.__context__
    if isinstance(why, BrokenPipeError):
        if why.filename != STDOUT:  # a connection, of which Typer says nothing
            raise why
        return 0  # `sweeper status | head`
    if isinstance(why, typer.Abort) and isinstance(why.__context__, KeyboardInterrupt):
        return 130
    return end.code if isinstance(end.code, int) else int(end.code is not None)


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()


def _our_fault(error: Exception) -> SweeperError:
    return SweeperError(f"{type(error).__name__}: {error}", "this is a fault of sweeper: SWEEPER_DEBUG=1 shows where")
