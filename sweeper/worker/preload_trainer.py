"""Imported by a worker's forkserver after everything else: imports the trainer's module, whatever that does."""

from sweeper.worker.trainer_import import preload

preload()
