"""The engineer's terminal: text out, one typed answer in."""

import sys
import termios
import textwrap

from diagnose.render.words import clean

_WIDTH = 80


class Terminal:
    """Writes to stdout and asks on it.

    Nothing that was typed before the question counts as its answer.
    """

    def __init__(self) -> None:
        self._in = sys.stdin
        self._out = sys.stdout

    @staticmethod
    def is_there() -> bool:
        """Whether somebody sits in front of it: both stdin and stdout are a terminal."""
        return sys.stdin.isatty() and sys.stdout.isatty()

    def say(self, text: str = "", indent: int = 0) -> None:
        """A sentence, wrapped."""
        space = " " * indent
        for line in clean(text).splitlines() or [""]:
            wrapped = textwrap.fill(
                line, _WIDTH, initial_indent=space, subsequent_indent=space, break_long_words=False
            )
            self._out.write(wrapped + "\n")
        self._out.flush()

    def show(self, command: str) -> None:
        """A command, as it will be run: never wrapped."""
        for line in clean(command).splitlines():
            self._out.write(f"    {line}\n")
        self._out.flush()

    def stream(self, output: str) -> None:
        """Write a command's output while it comes."""
        self._out.write(clean(output.replace("\r\n", "\n").replace("\t", "    ")))
        self._out.flush()

    def ask(self, question: str) -> str:
        """One typed line without its ends.

        EOFError where the terminal is closed, KeyboardInterrupt for Ctrl-C.
        """
        termios.tcflush(self._in, termios.TCIFLUSH)
        self._out.write(f"{clean(question)} ")
        self._out.flush()
        answer = self._in.readline()
        if not answer:
            raise EOFError
        return answer.strip()
