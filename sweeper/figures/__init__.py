"""Pictures of runs: pure functions from data to SVG, for the report's file and the server's pages alike."""
