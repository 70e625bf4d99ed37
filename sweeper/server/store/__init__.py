"""Where the server keeps things: SQLite and files. The only room with SQL."""
