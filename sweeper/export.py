"""Runs as a table."""
