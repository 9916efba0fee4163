"""The checks and containers that the user's words select.

No more families are imported than the selection needs.
"""

import fnmatch
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from diagnose import packs, registry
from diagnose.model import Check

GLOB = frozenset("*?[")
"""What makes a selector a pattern."""


class UnknownSelectorError(Exception):
    """A selector that matches nothing; the message names the nearest."""


class Selection(msgspec.Struct, frozen=True):
    """The checks that selectors name."""

    checks: Mapping[str, Check]
    """The checks of the selected families, and of the families of their causes."""
    ids: tuple[str, ...]
    """Those that are selected."""


def resolve(selectors: Iterable[str]) -> Selection:
    """The checks that the selectors mean, with those that may explain them."""
    words = tuple(selectors)
    plain = {_family(selector) for selector in words}
    everything = any(set(family) & GLOB or family not in packs.families() for family in plain)
    checks = registry.load(None if everything else plain)
    selected: dict[str, None] = {}
    for selector in words:
        selected_ids = [id for id in checks if _selects(selector, id)]
        if not selected_ids:
            raise UnknownSelectorError(unknown(selector, [*registry.load(), *packs.families()]))
        selected.update(dict.fromkeys(selected_ids))
    return Selection(_with_causes(checks, selected), tuple(sorted(selected)))


def _family(id: str) -> str:
    return id.partition(".")[0]


def _selects(selector: str, id: str) -> bool:
    return selector in (id, _family(id)) or fnmatch.fnmatch(id, selector)


def _with_causes(checks: dict[str, Check], selected: Iterable[str]) -> dict[str, Check]:
    """The checks, and those of the families from which causes of the selected ones come."""
    loaded = {_family(id) for id in checks}
    visited: set[str] = set()
    open_ends = list(selected)
    while open_ends:
        id = open_ends.pop()
        if id in visited:
            continue
        visited.add(id)
        if _family(id) not in loaded:
            loaded.add(_family(id))
            checks = registry.load({_family(id)})
        if id in checks:
            open_ends.extend(checks[id].caused_by)
    return checks


def unknown(name: str, candidates: Iterable[str]) -> str:
    """One sentence that names the nearest of the candidates.

    Those that begin the same way come first, then those that have it as a word: first the ids whose
    problem begins with it (`restart`: container.restart-loop).
    """
    import difflib  # that only those who mistyped pay

    names = list(candidates)
    like = name.lower()
    begun = [name for name in names if like and name.startswith(like)]
    with_word = [name for name in names if len(like) > 2 and like in name]
    with_word.sort(key=lambda name: f".{like}" not in name)
    close = difflib.get_close_matches(like, names, n=3, cutoff=0.5)
    similar_ids = list(dict.fromkeys([*begun[:3], *with_word, *close]))[:3]
    hint = f"; did you mean {either(similar_ids)}?" if similar_ids else ""
    complaint = f"no check matches {name!r}" if set(name) & GLOB else f"there is no check {name!r}"
    return f"{complaint}{hint} (diagnose list shows all)"


def called(word: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the containers that a word may mean, of those known by id.

    A name, an id, or as much of one as the engine takes.

    Several where the beginning of an id is not enough, none where nothing is called so.
    """
    wanted_name = word.removeprefix("/")
    if wanted_name in names.values():
        return (wanted_name,)
    if not wanted_name:
        return ()
    return tuple(name for id, name in names.items() if id.startswith(wanted_name))


def either(names: Sequence[str]) -> str:
    """a, b or c."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
