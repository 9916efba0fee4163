"""All hosts of `--on` at once: progress on stderr, the reports in the order of the command line, the exit code of the worst."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from diagnose.reach.target import Target
from diagnose.reach.visit import Errand, Visit, VisitError, visit

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

AT_ONCE = 16
"""Hosts that are visited at the same time."""
ORDER_OF_CODES = (0, 3, 1, 2)
"""Exit codes, the worst last."""
UNKNOWN = 3

Outcome = Visit | VisitError


def worst(codes: Sequence[int]) -> int:
    """The exit code of several runs."""
    return max(codes, key=ORDER_OF_CODES.index, default=UNKNOWN)


def go(targets: Sequence[Target], errand: Errand, deliver: Callable[[Target, Outcome], int]) -> int:
    """Visit all of them. deliver: is given each outcome, in order, and says its exit code. The exit code of the worst."""
    stages = Stages([str(target) for target in targets])
    pool = ThreadPoolExecutor(min(AT_ONCE, len(targets)))

    def one(number: int) -> Outcome:
        try:
            seen: Outcome = visit(targets[number], stages.pausing(errand), lambda text: stages.set(number, text))
        except VisitError as error:
            stages.set(number, f"failed: {error}")
            return error
        stages.set(number, "done")
        return seen

    with stages.shown():
        pending: list[Future[Outcome]] = [pool.submit(one, number) for number in range(len(targets))]
        outcomes = [future.result() for future in pending]
    return worst([deliver(target, outcome) for target, outcome in zip(targets, outcomes, strict=True)])


class Stages:
    """What each host is at: a table on stderr where that is a terminal, otherwise nothing.

    ssh and sudo may ask a person for a password on the same terminal, so the table appears only once no host is connecting, and goes
    away while a password is asked for.
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
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, refresh_per_second=8)
        try:
            yield
        finally:
            if self._live is not None and self._is_shown:
                self._live.stop()

    def pausing(self, errand: Errand) -> Errand:
        """The errand, with a password that is asked for once for all hosts, and not under the table."""
        from dataclasses import replace

        ask = errand.ask_password
        return errand if ask is None else replace(errand, ask_password=lambda: self._ask(ask))

    def _ask(self, ask: Callable[[], str]) -> str:
        with self._asking:
            if self._answer is None:
                with self._lock:
                    if self._live is not None and self._is_shown:
                        self._live.stop()
                        self._is_shown = False
                self._answer = ask()
            return self._answer

    def _table(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for name, stage in zip(self._names, self._stages, strict=True):
            table.add_row(Text(name), Text(stage, "dim" if stage == "done" else ""))
        return table
