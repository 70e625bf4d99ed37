"""`python -m sweeper.worker DESCRIPTOR`: the process that a machine's workers are forked from."""

import sys

from sweeper.worker.forkserver import main

sys.exit(main(sys.argv[1:]))
