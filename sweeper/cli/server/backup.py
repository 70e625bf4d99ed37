"""`sweeper server backup`: a server's data as one file."""

from __future__ import annotations

import time
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sweeper.cli.options import AsJson, Data, data_directory
from sweeper.cli.output import err, escape, out, print_json, progress_bar, say_next


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; gzipped if its name ends in .gz.")],
    data: Data = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write all of a server's data into one file; the server may run on.

    It holds the server's key: whoever can read it can act as its users.

    Example: sweeper server backup sweeper.tar.gz
    """
    # the server is imported by the few commands that work on its data
    from sweeper.server.admin import backup

    with progress_bar("files") as bar:
        done = backup.write(data_directory(data), file.absolute(), now=time.time(), force=force, progress=bar.reach)
    if done.missing:
        err.print(f"{len(done.missing)} files are missing from the server: see `sweeper server check`", style="yellow")
    if as_json:
        print_json({"file": str(done.place), "files": done.files, "bytes": done.bytes, "missing": done.missing})
        return
    what = (
        f"the database and {done.files} other {'file' if done.files == 1 else 'files'}, {done.bytes / 2**20:,.1f} MiB"
    )
    out.print(f"[bold]backup[/]  {escape(str(done.place))}: {what}", soft_wrap=True)
    say_next(f"sweeper server restore {quote(str(file))} --data DIR")
