"""Causes that began or ended from one round to the next."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from diagnose.compare import BLIND, is_hidden
from diagnose.model import Json, Severity
from diagnose.registry import SEVERITIES

UNNOTICED: Mapping[str, float] = {}
KEPT_S = 3600.0
"""Seconds for which a change is remembered."""


class WatchedRoot(msgspec.Struct, frozen=True):
    """A root above advice."""

    key: str
    id: str
    severity: Severity
    subject: str
    summary: str
    onset: float
    """Unix time at which the problem began: as the finding says, or else when the change was
    noticed after which the problem was first seen, or else when it was first seen."""
    is_onset_known: bool = False

    @property
    def document(self) -> dict[str, Json]:
        """The root as a JSON value."""
        return {
            "key": self.key,
            "id": self.id,
            "severity": str(self.severity),
            "subject": self.subject,
            "summary": self.summary,
            "onset": self.onset,
            "onset_known": self.is_onset_known,
        }


class RootChange(msgspec.Struct, frozen=True):
    """The change of a root from one round to the next.

    present: it was there when the watch began. explained: another root was found to cause it.
    """

    kind: Literal["present", "began", "ended", "explained", "worse", "better"]
    at: float
    root: WatchedRoot


class Roots:
    """The roots that are known now, and the changes of the last hour."""

    def __init__(self) -> None:
        self._known: dict[str, WatchedRoot] = {}
        self._changes: list[RootChange] = []
        self._has_begun = False

    def __iter__(self) -> Iterator[WatchedRoot]:
        """The worst first, then those that began first."""
        return iter(sorted(self._known.values(), key=lambda root: (-root.severity, root.onset)))

    @property
    def worst(self) -> Severity | None:
        return max((root.severity for root in self._known.values()), default=None)

    def recent(self, now: float) -> tuple[RootChange, ...]:
        """The changes of the last hour, the latest first."""
        return tuple(change for change in reversed(self._changes) if change.at >= now - KEPT_S)

    def take(
        self, report: Mapping[str, Json], now: float, noticed: Mapping[str, float] = UNNOTICED
    ) -> tuple[RootChange, ...]:
        """The changes that a report shows, of all checks or of some.

        The first report shows what is there already. noticed: by family, the Unix time of the
        change on the host that led to this report.

        A root ends only where its check has looked and does not find it: what could not be looked
        at has not ended.
        """
        rows = {row["key"]: row for row in report["findings"]}
        changes = [*self._begun_roots(rows, now, noticed), *self._ended_roots(report, rows, now)]
        for change in changes:
            if change.kind in ("ended", "explained"):
                self._known.pop(change.root.key, None)
            else:
                self._known[change.root.key] = change.root
        self._has_begun = True
        self._changes = [
            change for change in (*self._changes, *changes) if change.at >= now - KEPT_S
        ]
        return tuple(changes)

    def _begun_roots(
        self, roots: Mapping[str, Mapping[str, Json]], now: float, noticed: Mapping[str, float]
    ) -> Iterator[RootChange]:
        """The roots of a round that are new, or as severe as they were not before."""
        for key, row in roots.items():
            severity = SEVERITIES[row["severity"]]
            if not row["root"] or row.get("silenced") or severity <= Severity.advice:
                continue
            root_before = self._known.get(key)
            if root_before is None:
                seen_since = noticed.get(str(row["id"]).partition(".")[0], now)
            else:
                seen_since = root_before.onset
            root = _root(row, severity, seen_since)
            if root_before is None:
                yield RootChange("began" if self._has_begun else "present", now, root)
            elif root_before.severity != severity:
                yield RootChange(
                    "worse" if severity > root_before.severity else "better", now, root
                )

    def _ended_roots(
        self, report: Mapping[str, Json], roots: Mapping[str, Mapping[str, Json]], now: float
    ) -> Iterator[RootChange]:
        """The known roots that this report no longer has, or has as an effect or silenced."""
        looked = {row["id"] for row in report["checks"] if row["verdict"] not in BLIND}
        verdicts = {row["id"]: row["verdict"] for row in report["checks"]}
        for key, root in self._known.items():
            row = roots.get(key)
            if row is None:
                has_ended = root.id in looked and not is_hidden(_as_finding(root), report, verdicts)
            else:
                has_ended = (
                    bool(row.get("silenced")) or SEVERITIES[row["severity"]] <= Severity.advice
                )
            if row is not None and not row["root"]:
                yield RootChange("explained", now, root)
            elif has_ended:
                yield RootChange("ended", now, root)


def _as_finding(root: WatchedRoot) -> dict[str, Json]:
    kind, _, name = root.subject.partition(":")
    return {"id": root.id, "subject": {"kind": kind, "name": name}}


def _root(row: Mapping[str, Json], severity: Severity, seen_since: float) -> WatchedRoot:
    """A root from its row in the JSON report."""
    onset = row.get("onset")
    return WatchedRoot(
        row["key"],
        id=row["id"],
        severity=severity,
        subject=f"{row['subject']['kind']}:{row['subject']['name']}",
        summary=row["summary"],
        onset=datetime.fromisoformat(onset).timestamp() if onset else seen_since,
        is_onset_known=bool(onset),
    )


def exit_code(roots: Iterable[WatchedRoot]) -> int:
    """2 for a critical one, 1 for a warning, 0 for none."""
    worst = max((root.severity for root in roots), default=None)
    if worst is None:
        return 0
    return 2 if worst is Severity.critical else 1
