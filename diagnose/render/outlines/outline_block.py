"""One root, or several that are shown as one, with all that stands below them."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose import runbooks
from diagnose.judgement.causes import roots
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, distinct
from diagnose.model import EngineRestart, Finding, Report, Reported, Severity, Strength
from diagnose.phrases import ago, agree, capitalised, count, named
from diagnose.render.outlines.evidence_rows import HEALING, TELLING, OutlinePart, evidence_rows
from diagnose.render.outlines.grouping import other_messages, place_of
from diagnose.render.outlines.lasting import with_lasting_words

CHANGED = "changed recently"
"""The name of the row that says what was changed before a problem without a known cause."""
_RESTART = LazyPattern(
    r"systemctl (?:--user )?(?:re)?start[^\n|;&]{0,200}\bdocker\b|service docker (?:re)?start|pkill dockerd"
    rf"|{runbooks.OWN_RESTARTS}"
)
"""Commands that restart the engine, or start it over containers that are alive."""
_STAY_DOWN = frozenset(
    {
        "container.crashed", "container.exits-at-start", "container.lost-with-host",
        "container.restarts-exhausted", "container.start-refused",
    }
)  # fmt: skip
"""Effects that outlast their cause: the container has to be started by hand."""
_MOST_STARTED = 6
_WORD = LazyPattern(r"[\w.-]+")
_MOST_AT_ONCE = 40
"""So many containers fit into one command that is still read."""
_ENDS = LazyPattern(r"\b(?:restart|stop|pkill|kill)\b")
_COMPOSE_UP = LazyPattern(r"\bcompose\b[^\n|;&]{1,400}? up\b")
"""Compose starts the container of the finding, and calls it by its service."""
_SHOWN = LazyPattern(r"^This (?:shows|lists) ")
"""How a page begins what a look shows. A heading names the thing alone."""
_TYPED = LazyPattern(r"^-|[=/:@_\d]")
"""The last word of a cure that is typed: an option, a path, a tag, a value."""


class Effect(msgspec.Struct, frozen=True):
    """The effects of a root that one check found, in one line."""

    id: str
    subjects: tuple[str, ...]
    summary: str
    because: str
    strength: Strength


class Other(msgspec.Struct, frozen=True):
    """Another root of some of the same effects."""

    id: str
    subject: str
    command: str
    """The command that tells the two apart; empty where both have to be cured."""
    jointly: bool = False
    """Whether the effects vanish only when both are cured."""


class OutlineBlock(msgspec.Struct, frozen=True):
    """One root cause, or a group of like ones, with all that is said of it."""

    severity: Severity
    id: str
    subjects: tuple[str, ...]
    summary: str
    evidence: tuple[tuple[str, str], ...]
    more_evidence: tuple[tuple[str, str], ...]
    """What `-v` shows beside it."""
    parts: tuple[OutlinePart, ...]
    effects: tuple[Effect, ...]
    cure: runbooks.Command | None
    """The fix of least risk that suits this finding; None where the page has none."""
    look: runbooks.Command | None
    """The command that shows more than the report; only where the cure destroys data, or there is
    none."""
    others: tuple[Other, ...]
    possible: tuple[Other, ...]
    """What may explain this root, though nothing confirms it."""
    ruled_out: tuple[tuple[str, str], ...]
    """Suspects that do not explain this root, by id and subject, each with the fact that clears it.
    """
    because_of_selection: bool
    made_by: str = ""
    by_hand: str = ""
    """What a person does, in words, where no command heals."""
    onset: float | None = None
    """Unix time at which the first of the group began, if known."""
    followed: str = ""
    """What `diagnose follow` takes, as a shell reads it: the id, or the key where other findings
    have that id."""

    @property
    def look_title(self) -> str:
        """The heading of the command in `look`, with how to read its answer, from the page."""
        title = "to find out more" if self.by_hand else "no fix known; to find out more"
        if self.cure is not None:
            title = "check first"
        impact = self.look.impact.rstrip(":.") if self.look is not None else ""
        impact = capitalised(_SHOWN.sub("", impact))
        if ". " in impact:
            impact += "."
        return f"{title}: {impact}" if impact else title


class FindingTree(msgspec.Struct, frozen=True):
    """The findings that a report shows, each with what stands above and below it."""

    report: Report
    by_key: Mapping[str, Reported]
    """In the order of the report, without those that are silenced."""
    roots_of: Mapping[str, tuple[str, ...]]
    """The keys of all roots of a finding, the likeliest first, by its key."""
    effects_of: Mapping[str, Sequence[Reported]]
    """What is shown below a root, by the root's key; only roots that have effects."""
    number_of: Mapping[str, int]
    """How many findings have an id."""

    @classmethod
    def of(cls, report: Report) -> FindingTree:
        """Each effect is shown once, below its likeliest root."""
        shown = {finding.key: finding for finding in report.findings if not finding.silenced}
        roots_of = roots(shown.values())
        effects_of = by_key(
            (roots_of[finding.key][0], finding) for finding in shown.values() if not finding.root
        )
        number_of = Counter(finding.id for finding in shown.values())
        return cls(report, shown, roots_of, effects_of, number_of)


def block(group: Sequence[Reported], tree: FindingTree) -> OutlineBlock:
    """Roots that are shown as one."""
    head = group[0]
    report = tree.report
    place = runbooks.Place.of(report)
    effects = tree.effects_of.get(head.key, ())
    remedy = _remedy(head, effects, place, report)
    notes = (HEALING,) if remedy.says_words else ()
    evidence = evidence_rows(head.finding.evidence, head.finding.summary, notes, remedy.by_hand)
    subjects = distinct(root.subject.name for root in group)
    makers = {root.made_by for root in group}
    onsets = [root.finding.onset for root in group if root.finding.onset is not None]
    possible = [tree.by_key[link.cause] for link in head.possible if link.cause in tree.by_key]
    return OutlineBlock(
        severity=max(finding.severity for finding in (*group, *effects)),
        id=head.id,
        subjects=subjects,
        summary=head.finding.summary,
        evidence=(
            *evidence.shown,
            *_further_sentences(group, subjects),
            *_changes(head, report.taken_at),
        ),
        more_evidence=evidence.more,
        parts=evidence.parts,
        effects=_effects(effects, head.finding),
        cure=_cure_of_all(remedy.cure, group, place),
        look=remedy.look,
        others=tuple(_other_roots(head, tree, place)),
        possible=tuple(_other_root(suspect, place) for suspect in possible),
        ruled_out=tuple(_ruled_out(head, tree.by_key)),
        because_of_selection=not head.selected,
        made_by=head.made_by if len(makers) == 1 else "",
        by_hand=remedy.by_hand,
        onset=min(onsets, default=None),
        followed=_follow_command(head, tree),
    )


def _follow_command(head: Reported, tree: FindingTree) -> str:
    is_alone = tree.number_of[head.id] == 1
    return head.id if is_alone else shlex.quote(head.key)


def _changes(head: Reported, now: float) -> Iterator[tuple[str, str]]:
    """The changes made before the problem began, as evidence, the latest first."""
    if head.changes:
        changes = [f"{change.text}, {ago(now - change.at)}" for change in head.changes]
        yield CHANGED, "; ".join(changes)


def _further_sentences(
    group: Sequence[Reported], subjects: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """The sentences that the first finding of a group does not say, as evidence.

    All other sentences where the group is about one subject; else the messages that differ.
    """
    if len(subjects) == 1:
        summaries = dict.fromkeys(root.finding.summary for root in group)
        yield from (("also", summary) for summary in list(summaries)[1:])
    else:
        yield from other_messages(group)


def _other_roots(head: Reported, tree: FindingTree, place: runbooks.Place) -> Iterator[Other]:
    """The other roots of the effects that stand below this one."""
    effects = tree.effects_of.get(head.key, ())
    keys = dict.fromkeys(key for effect in effects for key in tree.roots_of[effect.key])
    joint = {link.cause for effect in effects for link in effect.causes if link.jointly}
    for key in keys:
        if key != head.key:
            yield _other_root(tree.by_key[key], place, jointly=key in joint)


def _ruled_out(head: Reported, by_key: Mapping[str, Reported]) -> Iterator[tuple[str, str]]:
    for suspect in head.ruled_out:
        if suspect.cause in by_key:
            yield _cleared_row(by_key[suspect.cause], suspect.fact)


class _Remedy(msgspec.Struct, frozen=True):
    """The remedy of a block: a command that heals, a command that shows more, words for a
    person."""

    cure: runbooks.Command | None
    look: runbooks.Command | None
    by_hand: str
    says_words: bool
    """Whether it says the cure in words, or has a command that does just that."""


def _remedy(
    head: Reported, effects: Sequence[Reported], place: runbooks.Place, report: Report
) -> _Remedy:
    """The remedy of a block: the cure, a look where no cure is safe, else words."""
    variables = head.finding.variables
    cure = _lasting_cure(_cure_here(runbooks.cure(head.id, variables, place), report), head)
    is_in_doubt = cure is None or cure.risk == "destructive"
    look = runbooks.confirm(head.id, variables, place) if is_in_doubt else None
    if cure is not None:
        whole = _with_starts(cure, head, effects, report.docker)
        return _Remedy(whole, look, "", says_words=not cure.needs_words)
    says_words = bool(_healing_words(head))
    return _Remedy(None, look, words_by_hand(head), says_words=says_words)


def _cure_of_all(
    cure: runbooks.Command | None, group: Sequence[Reported], place: runbooks.Place
) -> runbooks.Command | None:
    """The cure of a group, with the others that the same command starts.

    A restart ends services that work: it is for all only where they have a common cause.
    """
    verbs = ("start", "restart") if place_of(group[0]) else ("start",)
    names = distinct(finding.subject.name for finding in group)
    if cure is None or not 1 < len(names) <= _MOST_AT_ONCE:
        return cure
    for verb in verbs:
        begin = f"{place.docker} {verb} "
        if cure.text == f"{begin}{names[0]}":
            cures = [(finding.subject.name, runbooks.cure_of(finding, place)) for finding in group]
            same_cure = distinct(
                name for name, own in cures if own is not None and own.text == f"{begin}{name}"
            )
            before = f"{cure.impact.rstrip(':.')}. " if cure.impact else ""
            impact = f"{before}Here it is for {count(len(same_cure), 'container')}."
            return msgspec.structs.replace(
                cure, text=f"{begin}{shlex.join(same_cure)}", impact=impact
            )
    return cure


def words_by_hand(finding: Reported) -> str:
    """The words for a person where no command heals; empty where neither check nor page has any."""
    return _healing_words(finding) or runbooks.by_hand(finding.id, finding.finding.variables)


def _healing_words(finding: Reported) -> str:
    """The cure that the check knows in words, as a sentence; empty where it knows none."""
    words = finding.finding.evidence.get(HEALING)
    return _as_sentence(words) if isinstance(words, str) else ""


def _as_sentence(words: str) -> str:
    """Words with a capital and a full stop; a name that begins them stays as it is.

    A command or a value that ends them has no full stop, which would be copied with it.
    """
    begin = capitalised(words)
    return begin if _TYPED.search(words.rpartition(" ")[2]) else f"{begin}."


def _cure_here(cure: runbooks.Command | None, report: Report) -> runbooks.Command | None:
    """The cure, with what its restart of the engine does to the containers of this host."""
    restart = report.engine_restart
    if cure is None or restart is None or not restart.running:
        return cure
    if not _restarts_engine(cure, is_up=report.host.engine is not None):
        return cure
    before = f"{cure.impact.rstrip(':.')}. " if cure.impact else ""
    return msgspec.structs.replace(cure, impact=f"{before}{_restart_words(restart)}")


def _with_starts(
    cure: runbooks.Command, head: Reported, effects: Sequence[Reported], docker: str
) -> runbooks.Command:
    """The cure, and the start of what its cause has ended and nobody starts again."""
    started_there = set(_WORD.findall(cure.text))
    if _COMPOSE_UP.search(cure.text) is not None:
        started_there.add(head.finding.subject.name)
    down = [
        effect.finding.subject.name
        for effect in effects
        if effect.id in _STAY_DOWN and effect.finding.subject.name not in started_there
    ]
    names = sorted(set(down))[:_MOST_STARTED]
    if not names:
        return cure
    before = f"{cure.impact.rstrip(':.')}. " if cure.impact else ""
    return msgspec.structs.replace(
        cure,
        impact=f"{before}Then {named('container', names)} {agree(names, 'is', 'are')} started.",
        text=f"{cure.text}\n{docker} start {shlex.join(names)}",
    )


def _lasting_cure(cure: runbooks.Command | None, head: Reported) -> runbooks.Command | None:
    """The cure, with what has to be in the compose file so that it lasts."""
    if cure is None or not head.made_by:
        return cure
    own_name = head.finding.subject.name
    words = with_lasting_words(cure.impact, cure.text, head.made_by, own_name)
    return msgspec.structs.replace(cure, impact=words)


def _restarts_engine(cure: runbooks.Command, *, is_up: bool) -> bool:
    """Whether a cure restarts the engine of this host, and not that of another one.

    is_up: the engine answers, so that its start alone changes nothing.
    """
    if cure.text.startswith("ssh "):
        return False
    is_repair = "diagnose repair" in cure.text and cure.risk != "safe"
    if _RESTART.search(cure.text) is None:
        return is_repair
    return is_repair or not is_up or _ENDS.search(cure.text) is not None


def _restart_words(restart: EngineRestart) -> str:
    if restart.keeps_them:
        return "Here live-restore is on: containers run on."
    stopped = f"Here that stops {count(restart.running, 'container')}"
    if not restart.stay_down:
        return f"{stopped}, and their restart policies start them again."
    stay = "stays" if len(restart.stay_down) == 1 else "stay"
    names = named("container", restart.stay_down)
    return f"{stopped}; {names} {stay} down without a restart policy: start by hand."


def _other_root(root: Reported, place: runbooks.Place, *, jointly: bool = False) -> Other:
    confirm = None if jointly else runbooks.confirm(root.id, root.finding.variables, place)
    first_line = confirm.text.partition("\n")[0] if confirm else ""
    return Other(root.id, root.subject.name, first_line, jointly)


def _cleared_row(suspect: Reported, fact: str) -> tuple[str, str]:
    return f"{suspect.id} ({suspect.subject.name})", fact


def _effects(findings: Sequence[Reported], root: Finding) -> tuple[Effect, ...]:
    """The effects of a root, findings of one check together."""
    above = [root.summary, *(text for text in root.evidence.values() if isinstance(text, str))]
    groups = by_key((finding.id, finding) for finding in findings)
    return tuple(_effect(group, above) for group in groups.values())


def _effect(group: Sequence[Reported], above: Sequence[str]) -> Effect:
    """One effect: findings of one check. above: the texts that stand above it."""
    first = group[0]
    return Effect(
        first.id,
        distinct(finding.subject.name for finding in group),
        _without_line(first.finding.summary, above),
        first.causes[0].because,
        min(finding.causes[0].strength for finding in group),
    )


def _without_line(summary: str, above: Sequence[str]) -> str:
    """A sentence without the line of a log behind its colon, where that is shown above it."""
    sentence, _, line = summary.partition(": ")
    is_repeated = len(line) > TELLING and any(line in text for text in above)
    return sentence if is_repeated else summary
