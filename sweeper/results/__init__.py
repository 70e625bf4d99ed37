"""What became of a sweep: its status, its best run, its runs as a table or on another server."""
