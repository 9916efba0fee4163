"""The command line: options in, report out, exit code. No logic of its own.

A module holds one command or a few that belong together, and imports what a command needs when it
runs: `--help` and completion load neither engine nor checks. `main` has the group of all commands;
`options` what several of them take.
"""

from diagnose.cli.main import group, main

__all__ = ["group", "main"]
