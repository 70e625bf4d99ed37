"""A whole server as files: backup, restore, and the check that nothing is missing."""
