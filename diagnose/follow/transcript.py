"""The transcript of a walk for the ticket, as Markdown: commands, by whom and when, without
secrets."""

import os
import time
from pathlib import Path

from diagnose.follow.shell import CommandEnd
from diagnose.follow.steps import CurePlan
from diagnose.markdown_text import fenced
from diagnose.plain_file import new_file
from diagnose.redact import Redactor
from diagnose.render.words import clean

_LINES = 200


class Transcript:
    """A new file that grows with each step, so that it is there whatever happens to the run.

    A full disk may be the very thing that is being mended: what cannot be written is kept, and
    written at the end.
    """

    def __init__(self, path: Path, redactor: Redactor | None = None) -> None:
        """OSError where no such file can be made.

        An existing one is not overwritten, and no link is followed.
        """
        self.path = path
        self._redactor = redactor or Redactor()
        self._handle = new_file(path)
        self._unwritten = b""

    def begin(self, plan: CurePlan, host: str, version: str) -> None:
        self._add(
            f"# {plan.id} on {host}",
            f"Followed by {_typing_user()} from {_current_time()}, with diagnose {version}.",
            f"{plan.severity}: {plan.summary} (`{plan.key}`)",
        )

    def note(self, text: str) -> None:
        self._add(f"{_current_time()}  {text}")

    def step(self, title: str, command: str) -> None:
        self._add(f"## {title}", fenced(command, "sh"))

    def ran(self, outcome: CommandEnd) -> None:
        lines = outcome.output.splitlines()
        shown = [
            *lines[:_LINES],
            *([f"... {len(lines) - _LINES} lines more"] if len(lines) > _LINES else ()),
        ]
        self._add(
            f"{_current_time()}  exit {outcome.code} after {outcome.seconds:.1f} s",
            *([fenced("\n".join(shown))] if shown else ()),
        )

    def close(self) -> str:
        """Write what is left; why that was not possible, or nothing."""
        why = self._write()
        os.close(self._handle)
        return why

    def _add(self, *paragraphs: str) -> None:
        text = "".join(f"{paragraph}\n\n" for paragraph in paragraphs)
        self._unwritten += clean(self._redactor.text(text)).encode("utf-8", "replace")
        self._write()

    def _write(self) -> str:
        try:
            while self._unwritten:
                self._unwritten = self._unwritten[os.write(self._handle, self._unwritten) :]
        except OSError as error:
            return error.strerror or str(error)
        return ""


def _current_time() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())


def _typing_user() -> str:
    """The user who typed, and in whose name."""
    import pwd

    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = f"user {os.geteuid()}"
    person = os.environ.get("SUDO_USER", "")
    return f"{person} as {name}" if person and person != name else name
