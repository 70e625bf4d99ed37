"""Launchers: where workers run. They know no hyperparameters."""
