"""What the pages ask for once they are open: JSON of the server's own, under `/-/data/`."""
