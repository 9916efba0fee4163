"""Remedies of the rows of known failures, as page variables for one container."""
