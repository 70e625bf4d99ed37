"""How large an uploaded file may be. Nothing is imported here: `sweeper serve --help` shows it, and must stay light."""

MAX_FILE = 32 * 2**30
"""Bytes of an uploaded file, by default: the checkpoint of a model with some billions of parameters."""
