"""Causes: folds effects under what brought them about. Pure; knows no particular check.

A cause is declared by id (`caused_by` of the effect's check, `causes` of the cause's) and linked to
a finding only with evidence beyond "same host": something the effect depends on that the cause is
about or reaches, a shared class of error text where the cause is known to bring one forth, and an
onset that is not later than the effect's.

Between containers that call each other the declared order does not hold: a loop makes its caller
unhealthy, and one that is unhealthy makes its callers loop. There a cause may be of any kind that
is in the declared order with the effect's, or of the same, and circles are kept out finding by
finding.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.mappings import by_key
from diagnose.model import HOST, CauseLink, Reported, Subject

Topology = Mapping[Subject, frozenset[Subject]]
"""What a subject directly stands on: container -> networks, filesystems, image; network -> bridge;
image -> filesystem."""

_WIDEST = ("host", "daemon", "filesystem", "interface", "network", "image", "volume", "container")
"""If two roots weigh the same, the one that more may depend on comes first."""

_SHARED_BY_MANY = ("host", "network", "image")
"""To share one of these with a cause tells little: many containers do, and most of them work."""

MOST_SUSPECTS = 16
"""So many findings of one check that harm one subject are compared with an effect: nobody reads
about more causes."""
MOST_STEPS = 1000
MOST_ROOTS = 16

ONSET_SLACK_S = 5.0
"""Clocks of two sources differ: a cause may seem to begin this many seconds after its effect."""


def depends_on(subjects: Iterable[Subject], topology: Topology) -> frozenset[Subject]:
    """The subjects themselves and all that they stand on, directly or not."""
    visited: set[Subject] = set()
    open_ends = list(subjects)
    while open_ends:
        subject = open_ends.pop()
        if subject not in visited:
            visited.add(subject)
            open_ends.extend(topology.get(subject, ()))
    return frozenset(visited)


def declared(cause: Reported, effect: Reported) -> bool:
    """Whether either of the two checks says that the one may bring about the other."""
    return cause.id in effect.check.caused_by or effect.id in cause.check.causes


def _verb(cause: Reported, effect: Reported, nearest: Subject) -> str:
    """How the effect is tied to what it shares with the cause."""
    if nearest in effect.finding.calls:
        return "it calls"
    return "it names" if _names_subject_of(effect, cause) else "same"


def evident(cause: Reported, effect: Reported, topology: Topology) -> CauseLink | None:
    """The link from a declared cause to an effect, with its evidence.

    None if there is none.
    """
    same_sign = _same_signs(cause, effect)
    if not same_sign and _fails_otherwise(cause, effect):
        return None
    shared = _shared_subjects(cause, effect, topology, same_sign)
    if not shared or began_later(cause, effect):
        return None
    nearest = cause.subject if cause.subject in shared else min(shared)
    verb = _verb(cause, effect, nearest)
    words = [f"{verb} {nearest.kind} {nearest.name}"]
    words += [f"error text: {sign}" for sign in sorted(same_sign)]
    is_specific = bool(same_sign) or verb != "same" or nearest.kind not in _SHARED_BY_MANY
    return CauseLink(cause.key, effect.key, ", ".join(words), is_specific)


def _same_signs(cause: Reported, effect: Reported) -> frozenset[str]:
    """The classes of error text that the cause produces and the effect shows."""
    return (cause.finding.signs or frozenset()) & (effect.finding.signs or frozenset())


def _fails_otherwise(cause: Reported, effect: Reported) -> bool:
    """Whether the effect printed something else than what the cause produces.

    It fails for a reason of its own then, unless it names the cause itself.
    """
    prints = effect.finding.signs is not None
    return bool(cause.finding.signs) and prints and not _names_subject_of(effect, cause)


def _shared_subjects(
    cause: Reported, effect: Reported, topology: Topology, same_sign: frozenset[str]
) -> set[Subject]:
    """The subjects that the cause harms and the effect needs."""
    reach = _reach(cause)
    named_subjects = _named_subjects(effect)
    shared = reach & named_subjects
    if not shared and same_sign:
        # To stand on a broken network or disk proves nothing: the error text must say so too.
        shared = reach & depends_on(named_subjects, topology)
    if effect.subject.kind == "container" and _names_containers(cause):
        shared -= {cause.subject}
    return shared


def began_later(cause: Reported, effect: Reported) -> bool:
    """Whether a cause certainly began after its effect."""
    began = earliest_begin(cause)
    onset_of_effect = effect.finding.onset
    return (
        began is not None
        and onset_of_effect is not None
        and began > onset_of_effect + ONSET_SLACK_S
    )


def earliest_begin(finding: Reported) -> float | None:
    """The Unix time before which a problem was not there; None where nobody knows."""
    onset = finding.finding.onset
    return finding.finding.absent_at if onset is None else onset


def _reach(cause: Reported) -> set[Subject]:
    """The subjects that a cause can harm: its own and those that it touches."""
    reach = {cause.subject, *cause.finding.touches} - {HOST}
    if cause.subject.kind == "container":
        # what it needs of the engine or of its image, nobody else suffers from
        reach = {subject for subject in reach if subject.kind not in ("daemon", "image")}
    return reach


def _names_containers(cause: Reported) -> bool:
    """Whether a finding about the engine says which containers it harms: no other is its effect."""
    is_of_engine = cause.subject.kind == "daemon"
    return is_of_engine and any(subject.kind == "container" for subject in cause.finding.touches)


def _named_subjects(effect: Reported) -> set[Subject]:
    return {effect.subject, *effect.finding.touches, *effect.finding.calls}


def _leads_to(links: Mapping[str, Sequence[CauseLink]], start: str, goal: str) -> bool:
    """Whether a way leads from one finding up to another.

    Above MOST_STEPS findings one is assumed.
    """
    visited: set[str] = set()
    open_ends = [start]
    while open_ends:
        key = open_ends.pop()
        if key == goal or len(visited) > MOST_STEPS:
            return True
        if key not in visited:
            visited.add(key)
            open_ends.extend(link.cause for link in links[key])
    return False


def _names_subject_of(effect: Reported, cause: Reported) -> bool:
    """Whether the effect's own evidence leads to another subject, which the cause is about."""
    other_subjects = {*effect.finding.touches, *effect.finding.calls} - {effect.subject, HOST}
    return cause.subject in other_subjects


def link(findings: Sequence[Reported], topology: Topology) -> tuple[Reported, ...]:
    """The findings with their causes filled in, likelier causes first, then ordered.

    Worst root first.
    """
    by_key = {finding.key: finding for finding in findings}
    links: dict[str, list[CauseLink]] = {key: [] for key in by_key}
    suspects = _Suspects(findings)
    for effect in findings:
        for cause in suspects.of(effect, topology):
            new_link = evident(cause, effect, topology) if cause.key != effect.key else None
            if new_link is not None:
                links[effect.key].append(new_link)
    for cause, effect in _calls(findings):
        new_link = evident(cause, effect, topology)
        if new_link is not None and not _leads_to(links, cause.key, effect.key):
            links[effect.key].append(new_link)

    def likeliest_first(effect: Reported) -> tuple[CauseLink, ...]:
        return tuple(
            sorted(
                links[effect.key],
                key=lambda link: _likelihood(by_key[link.cause], effect),
                reverse=True,
            )
        )

    return order(replace(effect, causes=likeliest_first(effect)) for effect in findings)


def _calls(findings: Sequence[Reported]) -> Iterator[tuple[Reported, Reported]]:
    """Cause and effect, where a container calls another that fails.

    It fails in a way which is not a declared cause of its own.
    """
    callers = [finding for finding in findings if finding.finding.calls]
    about = by_key((finding.subject, finding) for finding in findings) if callers else {}
    for effect in callers:
        for subject in effect.finding.calls:
            for cause in about.get(subject, ())[:MOST_SUSPECTS]:
                if subject != effect.subject and (cause.id == effect.id or declared(effect, cause)):
                    yield cause, effect


def _declared_causes(effect: Reported, first: Mapping[str, Reported]) -> list[str]:
    """The ids among these that are declared causes of an effect."""
    return [cause.id for cause in first.values() if declared(cause, effect)]


def _known_causes(finding: Reported, by_key: Mapping[str, Reported]) -> list[str]:
    """The keys of a finding's causes, as far as the report has them."""
    return [link.cause for link in finding.causes if link.cause in by_key]


class _Suspects:
    """The findings of declared causes by what they can harm.

    An effect is compared only with findings that share something with it: a host of 8,000
    containers has 16,000 findings.
    """

    def __init__(self, findings: Sequence[Reported]) -> None:
        first = {finding.id: finding for finding in reversed(findings)}
        self._cause_ids = {id: _declared_causes(effect, first) for id, effect in first.items()}
        causes = {id for ids in self._cause_ids.values() for id in ids}
        self._harming: dict[tuple[str, Subject], list[Reported]] = {}
        for finding in findings:
            reached = _reach(finding) if finding.id in causes else ()
            for subject in reached:
                self._harming.setdefault((finding.id, subject), []).append(finding)
        for (_, subject), listed in self._harming.items():
            if len(listed) > MOST_SUSPECTS:
                listed.sort(key=lambda finding, subject=subject: finding.subject != subject)  # type: ignore[misc]
                del listed[MOST_SUSPECTS:]

    def of(self, effect: Reported, topology: Topology) -> Iterable[Reported]:
        """The possible causes of this effect, each once."""
        ids = self._cause_ids[effect.id]
        if not ids:
            return ()
        named_subjects = _named_subjects(effect)
        if effect.finding.signs:
            named_subjects |= depends_on(named_subjects, topology)
        suspects = {
            cause.key: cause
            for place in itertools.product(ids, sorted(named_subjects))
            for cause in self._harming.get(place, ())
        }
        return suspects.values()


def _likelihood(cause: Reported, effect: Reported) -> tuple[int, int, int, int, str]:
    """To be named speaks loudest, then a shared error text, then a shared subject.

    A worse cause louder than a mild one.
    """
    same_sign = (cause.finding.signs or frozenset()) & (effect.finding.signs or frozenset())
    return (
        int(_names_subject_of(effect, cause)),
        len(same_sign),
        int(cause.subject == effect.subject),
        int(cause.severity),
        cause.key,
    )


def roots(findings: Iterable[Reported]) -> dict[str, tuple[str, ...]]:
    """The keys of the root causes above each finding, likeliest first, by the finding's key.

    Its own key if it is a root or is in a circle of causes. At most MOST_ROOTS each.
    """
    by_key = {finding.key: finding for finding in findings}
    above = {key: _known_causes(finding, by_key) for key, finding in by_key.items()}
    roots_of: dict[str, tuple[str, ...]] = {}
    for key in by_key:
        _add_roots(key, above, roots_of)
    return roots_of


def _add_roots(
    start: str, above: Mapping[str, Sequence[str]], roots_of: dict[str, tuple[str, ...]]
) -> None:
    """Adds the roots of a finding and of all above it that have none yet.

    Without recursion: a chain of causes may be longer than the interpreter's stack.
    """
    path = {start: None}
    while path:
        key = next(reversed(path))
        unvisited = (cause for cause in above[key] if cause not in roots_of and cause not in path)
        higher = next(unvisited, None)
        if higher is not None:
            path[higher] = None
            continue
        path.popitem()
        roots = dict.fromkeys(root for cause in above[key] for root in roots_of.get(cause, ()))
        roots_of[key] = tuple(roots)[:MOST_ROOTS] or (key,)


class _RootRank(msgspec.Struct, frozen=True, order=True):
    """The rank of a root among the roots. The lowest comes first."""

    mildness: int
    """The worst severity of the root and of what it explains, negative."""
    is_no_outage: bool
    is_posture: bool
    explained_elsewhere: int
    """What it explains of other subjects, negative."""
    narrowness: int
    """How few things depend on its subject; one for all posture."""
    explained: int
    """All that it explains, negative."""
    own_mildness: int
    name: str
    place: int
    """Where the checks gave it. Posture keeps this order within a check."""


class _Family(msgspec.Struct):
    """A root and what is shown under it."""

    root: Reported
    members: list[Reported] = msgspec.field(default_factory=list)

    def rank(self, place: int) -> _RootRank:
        """The rank of the root among the others. The lowest comes first.

        place: of the root, as the checks gave it.
        """
        root = self.root
        members = self.members
        posture = root.check.posture
        other_subjects = {member.subject for member in members} - {root.subject}
        return _RootRank(
            -max(int(member.severity) for member in members),
            is_no_outage=not any(member.is_outage for member in members),
            is_posture=posture,
            explained_elsewhere=-len(other_subjects),
            narrowness=0 if posture else self._narrowness,
            explained=-len(members),
            own_mildness=-int(root.severity),
            name=root.id if posture else root.key,
            place=place if posture else 0,
        )

    @property
    def _narrowness(self) -> int:
        """The place of the root's subject in `_WIDEST`; beyond it for a busy host that explains
        nothing, since a disk that is shared with others is busy beside any fault."""
        explains_nothing = len(self.members) <= 1
        if self.root.check.pressure and explains_nothing:
            return len(_WIDEST)
        return _WIDEST.index(self.root.subject.kind)


def order(findings: Iterable[Reported]) -> tuple[Reported, ...]:
    """Roots as an engineer should meet them, each with its effects behind it.

    The worst root comes first, by its own severity or that of what it explains. Among equals: what
    took the engine, for all else is then seen as it was before; what explains most of what happens
    elsewhere; what more may depend on; what explains most. A host that is busy and explains nothing
    comes behind its equals. A finding that has several possible roots counts for the likeliest,
    under which it is shown. Findings on posture come last and keep the order in which their check
    gave them: the most exposed first.
    """
    all_findings = list(findings)
    place = {finding.key: at for at, finding in enumerate(all_findings)}
    findings_by_key = {finding.key: finding for finding in all_findings}
    home = {key: likeliest for key, (likeliest, *_) in roots(all_findings).items()}
    families = {key: _Family(findings_by_key[key]) for key in dict.fromkeys(home.values())}
    for finding in all_findings:
        families[home[finding.key]].members.append(finding)
    ranks = {key: family.rank(place[key]) for key, family in families.items()}

    def rank(finding: Reported) -> tuple[_RootRank, bool, int, str]:
        return ranks[home[finding.key]], not finding.root, -int(finding.severity), finding.key

    return tuple(sorted(all_findings, key=rank))
