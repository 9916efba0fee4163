"""A variable, a label or a file of settings is wrong, misread or without effect."""
