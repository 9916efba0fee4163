"""Known failures of programs in containers, and readers of their logs.

All functions are pure: they take text and return values. None of them asks the host.

From a log to its meaning: `log_message` reads a line, `telling_line` chooses the one that explains,
by the phrases of `line_phrases` and without the `passed_lines`; `failures` has its meaning, or else
`families`.

What programs read and do, as tables: `label_keys` and `label_readers` of labels, `loaded_modules`,
`file_movers`, `web_programs`, `data_markers`.

Rooms:

- `failures/`  rows of known failures: one program's words, or those of many
- `families/`  kinds of complaints, for lines that no row knows
- `setting_needs/`  settings of well-known images that do nothing without another part
"""
