"""A worker: one slot, and a fresh process for every run in it."""
