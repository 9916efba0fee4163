"""Lines for the rows of `diagnose/programs/failures/databases/`."""
