"""The progress of each host of `--on`, as a table on stderr."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text


class Stages:
    """The progress of each host: a table on stderr where that is a terminal, otherwise nothing.

    ssh and sudo may ask a person for a password on the same terminal, so the table appears only
    once no host is connecting, and goes away while a password is asked for.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._stages = ["connecting"] * len(names)
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._live: Live | None = None
        self._is_shown = False
        self._answer: str | None = None

    def set(self, number: int, text: str) -> None:
        """Host number is at this stage now."""
        with self._lock:
            self._stages[number] = text
            if self._live is None:
                return
            if not self._is_shown and "connecting" not in self._stages:
                self._is_shown = True
                self._live.start()
            if self._is_shown:
                self._live.update(self._table())

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While it lasts the table is shown."""
        if sys.stderr.isatty():
            self._live = Live(console=Console(stderr=True), transient=True, refresh_per_second=8)
        try:
            yield
        finally:
            if self._live is not None and self._is_shown:
                self._live.stop()

    def asking_once(self, ask: Callable[[], str]) -> Callable[[], str]:
        """The question for a password, put once for all hosts, and not under the table."""
        return lambda: self._ask(ask)

    def _ask(self, ask: Callable[[], str]) -> str:
        """The answer that was given; the first thread takes the table away and asks."""
        with self._asking:
            if self._answer is None:
                with self._lock:
                    if self._live is not None and self._is_shown:
                        self._live.stop()
                        self._is_shown = False
                self._answer = ask()
            return self._answer

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, stage in zip(self._names, self._stages, strict=True):
            table.add_row(Text(name), Text(stage, "dim" if stage == "done" else ""))
        return table
