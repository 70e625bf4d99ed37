"""What the server decides: who runs what, what ends, what stops. It has no SQL and no wire names."""
