"""`python -m sweeper`: the same as the `sweeper` command."""

import os
import sys

# Python has put the current folder first, and whatever lies there would be imported in place of what is installed
own = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 pathlib, too, would be imported from there
if not sys.flags.safe_path and sys.path[0] == os.getcwd() != own:  # noqa: PTH109
    del sys.path[0]

from sweeper.cli import main  # noqa: E402 behind the line above

sys.exit(main())
