"""The embedded server: enough of W&B for sweeps, on SQLite and without a network."""
