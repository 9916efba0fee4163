"""Lines for the rows of `diagnose/programs/failures/settings/`."""
