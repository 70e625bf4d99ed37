"""Imported by a worker's forkserver after everything else: imports the trainer's module, whatever that does."""

from sweeper.backend.sdk_shortcuts import remember_packages
from sweeper.worker.trainer_import import preload

preload()
remember_packages()  # of the path that the trainer's module has made
