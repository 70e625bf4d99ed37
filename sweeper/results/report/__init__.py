"""A sweep's report: one file to send, with what was searched, what was found, and how to find it again."""
