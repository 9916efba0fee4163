"""Rows of text on a terminal: broken at its width, indented, never cut."""

from rich.console import Console
from rich.text import Text

from diagnose.render.shell import Shell, folded
from diagnose.render.words import clean, one_line


class TerminalRows:
    """The writer of rows on a terminal. shell: the one in which their commands will be typed."""

    def __init__(self, console: Console, shell: Shell) -> None:
        self.console = console
        self.shell = shell

    def line(self, text: str, indent: int = 0, style: str = "", hanging: int | None = None) -> None:
        """A text broken at the width. hanging: of the rows after the first, unless two more."""
        if hanging is None:
            hanging = indent + 2 if indent else 0
        self.rows(Text(one_line(text), style), indent, hanging)

    def rows(self, text: Text, indent: int, hanging: int) -> None:
        """Print a text that has its own styles, wrapped as `line` does."""
        for number, row in enumerate(text.wrap(self.console, self.console.width - hanging)):
            row.rstrip()
            self.console.print(Text(" " * (hanging if number else indent)) + row)

    def command(self, text: str, indent: int, *, style: str = "bold") -> None:
        """A command is broken between words alone: what is copied is what was written."""
        typed = folded(self.shell.typed(text), self.console.width - indent)
        for line in typed.splitlines():
            self.console.print(
                Text(" " * indent + clean(line), style=style),
                no_wrap=True,
                overflow="ignore",
                crop=False,
            )

    def filled(self, title: str, items: list[str], hint: str) -> None:
        """Items behind a title, as many a row as there is room for, none of them broken.

        hint: how to see more of them.
        """
        row = f"{title}  "
        room = self.console.width
        for number, shown in enumerate([*items, hint]):
            is_hint = number == len(items)
            joint = "   " if is_hint else " · "
            if number == 0:
                joint = ""
            if len(row) + len(joint) + len(shown) > room:
                self.line(row.rstrip())
                row = "  "
                joint = ""
            row += joint + shown
        self.line(row)
