"""Groups of root causes that a report shows as one block."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Reported, Subject

GROUP_FROM = 4
"""From so many similar findings on a report shows one of them, and the subjects of the others."""
APART = 6
"""Up to so many different messages each have a block of their own; more of them are listed in the
block of the first."""
MESSAGES_SHOWN = 5
SAID_IN = ("log", "State.Error", "last output")
"""The names of evidence that hold what a program or the engine said of its failure."""
FILESYSTEM = "filesystem"
"""The kind of subject that many containers may stand on."""
_WORDS = LazyPattern(r"[a-z]{3,}")
_COMPARED = 12
"""The words of a message that are compared: long ones end in stacks and lists."""


def groups(
    roots: Sequence[Reported], homes: Mapping[str, Sequence[Reported]]
) -> list[list[Reported]]:
    """Roots as they are shown.

    Similar ones without effects stand together from GROUP_FROM on. Replicas of one service, and
    those that one check finds on the same file system, always do.
    homes: the effects below each root, by its key.
    """
    likeness = _likeness_by_key([finding for finding in roots if finding.key not in homes])
    alike = Counter(likeness.values())
    shown: dict[object, list[Reported]] = {}
    for finding in roots:
        name: object = finding.key
        if finding.key not in homes:
            if alike[likeness[finding.key]] >= GROUP_FROM:
                name = likeness[finding.key]
            elif place_of(finding):
                name = (_kind(finding), place_of(finding))
            elif finding.finding.service:
                name = (finding.id, finding.severity, finding.finding.service)
        shown.setdefault(name, []).append(finding)
    return list(shown.values())


def place_of(finding: Reported) -> frozenset[Subject]:
    """The file systems that a finding about something else touches: their common cause."""
    touched = finding.finding.touches if finding.subject.kind != FILESYSTEM else ()
    return frozenset(subject for subject in touched if subject.kind == FILESYSTEM)


def _likeness_by_key(findings: Sequence[Reported]) -> dict[str, object]:
    """By key: what a finding has in common with those that may be shown with it."""
    words = {finding.key: _message_words(finding) for finding in findings}
    messages: dict[object, set[tuple[str, ...]]] = {}
    for finding in findings:
        messages.setdefault(_kind(finding), set()).add(words[finding.key])
    return {
        finding.key: (kind, words[finding.key]) if len(messages[kind]) <= APART else kind
        for finding in findings
        for kind in [_kind(finding)]
    }


def other_messages(group: Sequence[Reported]) -> Iterator[tuple[str, str]]:
    """(subject, message) of those in a group that failed with other words than the first."""
    known_words = {_message_words(group[0])}
    for finding in group[1:]:
        words = _message_words(finding)
        if words and words not in known_words and len(known_words) <= MESSAGES_SHOWN:
            known_words.add(words)
            yield finding.subject.name, message(finding)


def message(finding: Reported) -> str:
    """The message of the program or the engine; "" where none is known."""
    values = (finding.finding.evidence.get(name) for name in SAID_IN)
    return next((value for value in values if isinstance(value, str) and value), "")


def _kind(finding: Reported) -> tuple[object, ...]:
    shown = finding.finding
    return (finding.id, finding.severity, shown.signs, shown.calls, place_of(finding))


def _message_words(finding: Reported) -> tuple[str, ...]:
    """The words of the message without names, numbers and times, to compare messages by."""
    text = message(finding).lower().replace(finding.subject.name.lower(), "")
    return tuple(_WORDS.findall(text)[:_COMPARED])
