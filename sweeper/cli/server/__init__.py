"""`sweeper server ...`: the embedded server in the background, its data and its users."""

from __future__ import annotations

import typer

from sweeper.cli.server import backup, check, prune, restore, status, stop, url, users

app = typer.Typer(help="Manage the embedded server in the background, and its users.", no_args_is_help=True)
# `--help` lists them in this order
app.command("add-user")(users.add_user)
app.command("users")(users.list_users)
app.command("rotate-key")(users.rotate_key)
app.command("remove-user")(users.remove_user)
app.command("status")(status.status)
app.command("url")(url.url)
app.command("stop")(stop.stop)
app.command("backup")(backup.backup)
app.command("restore")(restore.restore)
app.command("check")(check.check)
app.command("prune", cls=prune.PruneCommand)(prune.prune)
