"""Changes on the host before a problem without a known cause began.

Pure; knows no check.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from diagnose.judgement.coincidence import says_why
from diagnose.mappings import by_key
from diagnose.model import HostProfile, RecentChange, RecentChanges, Reported, Severity
from diagnose.model.subjects import HOST, Subject

BEFORE_S = 3600.0
"""Changes that are older than this are left out: they rarely matter."""
LATELY_S = 86400.0
"""Changes that a report without a problem shows: whoever misses something compares it with
yesterday."""
SLACK_S = 2.0
"""The clocks of a file system and of the engine differ by less."""
MOST = 3
_STAND_ON_THE_HOST = frozenset({"container", "daemon", "dns", "firewall", "network", "swarm"})
"""Families whose problems a package or a setting of the host may cause; a full disk has no such
cause."""
_FAMILY_OF = {
    "/etc/resolv.conf": "dns",
    "/etc/docker": "daemon",
    "/etc/containerd": "daemon",
    "/etc/systemd/system": "daemon",
}
"""By the begin of a file's path, the family of checks that the file matters to. A setting of the
engine is shown for findings about the engine, not for each container."""


def known_changes(evidence: Mapping[type, object]) -> tuple[RecentChange, ...]:
    """All changes that the run has seen.

    evidence: by its type.
    """
    changes = evidence.get(RecentChanges)
    profile = evidence.get(HostProfile)
    steering = profile.changed.items() if isinstance(profile, HostProfile) else ()
    return (
        *(changes.items if isinstance(changes, RecentChanges) else ()),
        *(RecentChange(at, path, "file", family=_family_of(path)) for path, at in steering),
    )


def latest_changes(changes: Iterable[RecentChange], now: float) -> tuple[RecentChange, ...]:
    """The changes of the last day, the latest first, each text once."""
    lately = sorted(change for change in changes if now - LATELY_S <= change.at <= now)
    by_text = {change.text: change for change in lately}
    return tuple(sorted(by_text.values(), reverse=True))


def _family_of(path: str) -> str:
    return next((family for begin, family in _FAMILY_OF.items() if path.startswith(begin)), "")


def with_changes(
    findings: Sequence[Reported], changes: Iterable[RecentChange], now: float
) -> tuple[Reported, ...]:
    """The findings, each with what was changed before it where that may help.

    It may help for problems above advice without a known cause, for complaints that nothing
    explains, and for an engine that does not work.

    now: Unix time; it is used where the begin of a problem is not known. That a container was
    created before it failed says nothing.
    """
    changes_of = by_key(
        (change.subject, change) for change in changes if change.source != "created"
    )
    if not changes_of:
        return tuple(findings)
    explained = []
    for finding in findings:
        if _is_asked_why(finding):
            before = _changes_before_onset(finding, changes_of, now)
            explained.append(replace(finding, changes=before))
        else:
            explained.append(finding)
    return tuple(explained)


def _is_asked_why(finding: Reported) -> bool:
    is_aloud = finding.check.aloud is not None and not finding.finding.is_quiet
    is_complaint = is_aloud and finding.finding.aside is None
    if finding.is_outage or (finding.root and is_complaint):
        return True
    return finding.root and finding.severity > Severity.advice and bool(finding.check.caused_by)


def _changes_before_onset(
    finding: Reported, changes_of: Mapping[Subject, Sequence[RecentChange]], now: float
) -> tuple[RecentChange, ...]:
    """The latest first; those of the finding's own subjects before those of the whole host."""
    onset = finding.finding.onset
    until = (now if onset is None else onset) + SLACK_S
    own_subjects = {finding.subject, *finding.finding.calls} - {HOST}
    of_own = [change for subject in own_subjects for change in changes_of.get(subject, ())]
    of_host = [change for change in changes_of.get(HOST, ()) if _may_matter(change, finding)]
    latest = [
        change
        for group in (of_own, of_host)
        for change in sorted(group, reverse=True)
        if until - BEFORE_S <= change.at <= until
    ]
    by_text: dict[str, RecentChange] = {}
    for change in latest:  # two containers of one project share its file
        by_text.setdefault(change.text, change)
    return tuple(by_text.values())[:MOST]


def _may_matter(change: RecentChange, finding: Reported) -> bool:
    """Whether a change of the whole host is worth showing: only if nothing says what is wrong."""
    family = finding.id.partition(".")[0]
    is_of_family = change.family in ("", family) and family in _STAND_ON_THE_HOST
    if change.family == "dns" and _is_between_containers(finding):
        return False
    return is_of_family and (finding.is_outage or not says_why(finding))


def _is_between_containers(finding: Reported) -> bool:
    """Whether one container misses another: the engine knows their names, and no server outside."""
    touched = {*finding.finding.touches, *finding.finding.calls} - {finding.subject}
    return finding.subject.kind == "container" and any(
        subject.kind == "container" for subject in touched
    )
