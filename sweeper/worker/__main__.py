"""`python -m sweeper.worker DESCRIPTOR`: the process that a machine's workers are forked from (`forkserver.main`)."""

import sys

from sweeper.worker.forkserver import main

sys.exit(main(sys.argv[1:]))
