"""Renderers: functions of the Report. Nothing before this package imports rich.

Rooms:

- `outlines/`  what a report says, in which order and group: all renderers for people share it
- `formats/`  the report in the formats of other programs, and Markdown
- `html/`  the report as one HTML page, with its drawings

Here: what the terminal shows, a module for each command.
"""
