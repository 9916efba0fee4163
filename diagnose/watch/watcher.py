"""The loop of a watch.

Sleep, judge again what a change concerns, tell what began and what ended.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec
from msgspec.structs import replace

from diagnose.judgement.exit_codes import UNKNOWN
from diagnose.live.wake import Topic
from diagnose.model import Check, Json, Severity
from diagnose.questions.run import Options
from diagnose.watch import rounds
from diagnose.watch.roots import RootChange, Roots, WatchedRoot, exit_code

FAMILIES: Mapping[Topic, tuple[str, ...]] = {
    "containers": ("container", "network", "resources"),
    "network": ("firewall", "network", "dns"),
    "pressure": ("kernel", "resources", "storage"),
    "files": ("daemon", "dns"),
}
"""The families that a topic concerns; a change of the engine itself concerns all."""

FULL_S = 300.0
"""Seconds between two rounds of all checks, whatever happens; these send DNS queries too."""
QUIET_S = 0.3
"""Seconds that a burst of changes is waited for before a round."""
FOLLOW_UPS_S = (3.0, 25.0)
"""When the families of a change are judged once more: some findings need a second look, or a grace
to pass."""
ANSWERED_S = 10.0
"""What is first seen so soon after a change began with the change: the round itself takes a second,
and a follow-up comes three seconds later."""
PRESSURE_S = 30.0
"""Seconds between two rounds because of pressure: on a busy host it never ends."""
SHARE = 0.4
"""What rounds take of the time while changes never end."""
BURST_S = 12.0
"""Seconds of rounds that may follow each other without a rest. A minute of faults and cures, one
right after another, is seen as it happens; only churn has to wait."""


class Effort:
    """How much rounds took of late: what was spent is forgotten by SHARE of a second each second.

    Times are monotonic.
    """

    def __init__(self) -> None:
        self._spent = 0.0
        self._at = 0.0

    def spend(self, began: float, ended: float) -> None:
        """A round took this time."""
        seconds_left = self._spent - SHARE * (began - self._at)
        self._spent = max(0.0, seconds_left) + (ended - began)
        self._at = ended

    @property
    def rested(self) -> float:
        """When the next round may begin."""
        return self._at + max(0.0, self._spent - BURST_S) / SHARE


class _Judged(msgspec.Struct, frozen=True):
    """The changes that a round has shown, and its trouble."""

    changes: tuple[RootChange, ...] = ()
    trouble: str = ""
    """Why the host could not be looked at, or not wholly; "" as usual."""


class Notices:
    """When each family was last known to have changed. Unix times."""

    def __init__(self) -> None:
        self._waiting: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def hear(self, families: Iterable[str], now: float) -> None:
        """These families changed; of several changes before a round the first counts."""
        for family in families:
            self._waiting.setdefault(family, now)

    def of_round(self, families: Iterable[str], now: float) -> dict[str, float]:
        """The changes that this round answers, also as a follow-up."""
        noticed = {}
        for family in families:
            at = self._waiting.pop(family, self._last.get(family, 0.0))
            self._last[family] = at
            if at >= now - ANSWERED_S:
                noticed[family] = at
        return noticed


class Waiting(Protocol):
    """The source of changes that a watch waits for: `live.wake.Wake`."""

    def wait(self, seconds: float) -> frozenset[Topic]:
        """The topics that changed, as soon as one has; none after `seconds`."""
        ...


Judge = Callable[[Mapping[str, Check], tuple[str, ...] | None, Options], Mapping[str, Json]]
Tell = Callable[[Roots, tuple[RootChange, ...], str], None]
"""Is given the roots, the changes of a round, and why a round gave none."""


class Watcher:
    """Follows one host. Time is monotonic for waiting, Unix time for what is shown."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        options: Options,
        wake: Waiting,
        tell: Tell,
        *,
        judge: Judge = rounds.judge,
        full_s: float = FULL_S,
    ) -> None:
        self._known = checks
        self._options = options
        self._families = {check.family for check in checks.values()}
        self._wake = wake
        self._tell = tell
        self._judge = judge
        self._full_s = full_s
        self.roots = Roots()
        self._due: dict[str, list[float]] = {}
        """When a family is to be judged again, by the monotonic clock, the first time first."""
        self._next_full = 0.0
        self._next_pressure = 0.0
        self._is_blind = False
        """Whether the last round could not look at the containers, so that no root does not mean a
        healthy host."""
        self._effort = Effort()
        self._notices = Notices()

    def run(self, seconds: float | None, *, until: Severity | None = None) -> int:
        """Watch for so long, or for ever.

        until: end with the first root that begins and is at least so bad.

        Gives the exit code: of that root, or 0 for none; without `until` of the roots that are
        there at the end.
        """
        ends = time.monotonic() + seconds if seconds is not None else float("inf")
        self._next_full = time.monotonic()
        while True:
            begun = [change.root for change in self._round() if change.kind in ("began", "worse")]
            bad = [root for root in begun if until is not None and root.severity >= until]
            if bad:
                return exit_code(bad)
            if not self._sleep(ends):
                return self._code_of(() if until is not None else tuple(self.roots))

    def _code_of(self, roots: tuple[WatchedRoot, ...]) -> int:
        """The exit code for roots: none on a host that could not be looked at is not known."""
        return UNKNOWN if self._is_blind and not roots else exit_code(roots)

    def _sleep(self, ends: float) -> bool:
        """Sleep until a round is due; False where the watch is over before."""
        while True:
            now = time.monotonic()
            if now >= ends:
                return False
            due = min([self._next_full, *(times[0] for times in self._due.values())])
            if now >= max(due, self._effort.rested):
                return True
            topics = self._wake.wait(min(max(due, self._effort.rested), ends) - now)
            if topics:
                self._plan(topics, time.monotonic())

    def _plan(self, topics: frozenset[Topic], now: float) -> None:
        """Set the times at which families of checks are judged again after these changes."""
        changed = {family for topic in topics - {"pressure"} for family in FAMILIES.get(topic, ())}
        if "engine" in topics:
            self._next_full = min(self._next_full, now + QUIET_S)
            self._notices.hear(self._families, time.time())
        self._notices.hear(changed, time.time())
        for family in changed:
            first = min([now + QUIET_S, *self._due.get(family, ())])
            self._due[family] = [first, *(now + later for later in FOLLOW_UPS_S)]
        if "pressure" in topics and now >= self._next_pressure:
            self._next_pressure = now + PRESSURE_S
            for family in FAMILIES["pressure"]:
                self._due.setdefault(family, [now + QUIET_S])

    def _round(self) -> tuple[RootChange, ...]:
        """Judge what is due, and return what has changed."""
        began = time.monotonic()
        is_full = began >= self._next_full
        due_families = {family for family, times in self._due.items() if times[0] <= began}
        judged = self._judged_families(None if is_full else due_families)
        self._is_blind = bool(judged.trouble)
        now = time.monotonic()
        self._effort.spend(began, now)
        if is_full:
            self._next_full = now + self._full_s
        self._forget_done(set(self._due) if is_full else due_families, began)
        self._tell(self.roots, judged.changes, judged.trouble)
        return judged.changes

    def _judged_families(self, families: set[str] | None) -> _Judged:
        """The changes by the checks of these families; by all checks and probes for None."""
        if families is None:
            noticed = self._notices.of_round(self._families, time.time())
            selected = None
            options = self._options
        else:
            noticed = self._notices.of_round(families, time.time())
            selected = tuple(id for id, check in self._known.items() if check.family in families)
            options = replace(self._options, probe=False)
        try:
            report = self._judge(self._known, selected, options)
        except rounds.FailedRoundError as error:
            return _Judged(trouble=str(error))
        changes = self.roots.take(report, time.time(), noticed)
        is_unlisted = report["host"]["containers"] is None
        return _Judged(changes, "the containers could not be listed" if is_unlisted else "")

    def _forget_done(self, families: set[str], began: float) -> None:
        """Forget the times that have come; the follow-ups stay."""
        for family in families:
            still_due = [due for due in self._due[family] if due > began]
            if still_due:
                self._due[family] = still_due
            else:
                del self._due[family]
