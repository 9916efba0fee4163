"""No checks: the commands that a page offers for what a log says."""
