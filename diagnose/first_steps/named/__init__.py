"""Paths, programs, variables and servers that a line of a log names, whatever the program."""
