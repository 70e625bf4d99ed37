"""The command line: `sweeper create`, `launch`, `status` and the rest."""

from sweeper.cli.app import app as app
from sweeper.cli.app import main as main
