"""The setting to which a line of a log leads: a variable, a mounted file, a name in it."""
