"""How checks put things together: by what they have in common, and only what there is. Pure.

What a finding names and touches is read off the things that it is about.
"""

import itertools
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar, overload

from diagnose.model import HasSubject, Subject

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Thing = TypeVar("Thing")
Default = TypeVar("Default")


def by_key(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    """The values of each key. Keys and values keep the order in which they come."""
    groups: dict[Key, list[Value]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def paired(
    things: Iterable[Thing], value_of: Callable[[Thing], Value | None]
) -> Iterator[tuple[Thing, Value]]:
    """Each thing with its value; things whose value is None or empty are left out."""
    for thing in things:
        value = value_of(thing)
        if value:
            yield thing, value


def known(values: Iterable[Value | None]) -> tuple[Value, ...]:
    """The values that are not None."""
    return tuple(value for value in values if value is not None)


def distinct(*groups: Iterable[Key]) -> tuple[Key, ...]:
    """The members of all groups, each once, in the order in which they first come."""
    return tuple(dict.fromkeys(itertools.chain(*groups)))


def present(entries: Mapping[str, Value | None]) -> dict[str, Value]:
    """The entries that say something: None and what is empty are left out, 0 and False stay."""
    return {name: value for name, value in entries.items() if value or value in (0, False)}


def assignments(words: Iterable[str], sign: str = "=") -> dict[str, str]:
    """The values of words such as NAME=value, by name; "" for a word without the sign."""
    parts = (word.partition(sign) for word in words)
    return {name: value for name, _, value in parts}


def only(things: Collection[Value]) -> Value | None:
    """The one thing that there is; None where there is none, or where there are several."""
    return first_of(things) if len(things) == 1 else None


@overload
def first_of(things: Iterable[Value]) -> Value: ...


@overload
def first_of(things: Iterable[Value], default: Default, /) -> Value | Default: ...


def first_of(things: Iterable[Value], *default: Default) -> Value | Default:
    """The first of these things, or the default where there is none.

    Without a default there has to be one: StopIteration otherwise.
    """
    return next(iter(things), *default)


class HasName(Protocol):
    """A thing that people call by a name."""

    @property
    def name(self) -> str: ...


def names_of(things: Iterable[HasName]) -> list[str]:
    """The names of these things, in their order."""
    return [thing.name for thing in things]


def subjects_of(things: Iterable[HasSubject | None]) -> tuple[Subject, ...]:
    """The subjects of these things, for a finding that touches them; None has none."""
    return tuple(owner.subject for owner in things if owner is not None)


class HasEvidence(Protocol):
    """A thing that knows its evidence: what a finding about it shows."""

    @property
    def evidence(self) -> Mapping[str, Any]: ...


def evidence_of(thing: HasEvidence | None) -> Mapping[str, Any]:
    """The evidence of a thing; empty where there is none."""
    return thing.evidence if thing is not None else {}
