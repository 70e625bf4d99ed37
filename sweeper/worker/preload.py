"""Imported by a worker's forkserver before anything else: binds its life to the worker's.

A forkserver ends by itself only when its last child does (each child holds its pipe), and each child ends with the
forkserver: without this, both would outlive a killed worker.
"""

from sweeper.processes import die_with_parent

die_with_parent()
