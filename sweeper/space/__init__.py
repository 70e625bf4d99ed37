"""The space that the parameters of a sweep span: mathematics only, no I/O and no state."""
