"""What is known of programs in containers.

How their logs tell why they failed, and the world's commonest failures.

Everything here is pure: text goes in, values come out. Nothing here asks the host.

From a log to its meaning: `log_message` reads a line, `telling_line` chooses the one that explains,
by the phrases of `line_phrases` and without the `passed_lines`; `failures` says what it means, or
else `families`.

Rooms:

- `failures/`  rows of known failures: one program's words, or those of many
- `families/`  kinds of complaints, for lines that no row knows
"""
