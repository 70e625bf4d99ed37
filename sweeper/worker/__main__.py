"""`python -m sweeper.worker ORDERS.json`: a worker, as a launcher starts it."""

import sys

from sweeper.worker.slot_loop import main

sys.exit(main(sys.argv[1:]))
