"""What is to be drawn of runs, apart from how it is drawn: pure."""
