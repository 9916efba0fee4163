"""Lines for the rows of `diagnose/programs/failures/host/`."""
