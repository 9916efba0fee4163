"""Selectors: an id, a family or a glob to check ids, importing no more families than that needs."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable

from diagnose import registry
from diagnose.model import Check


class UnknownSelectorError(Exception):
    """A selector that matches nothing; the message names the nearest."""


def resolve(selectors: Iterable[str]) -> tuple[dict[str, Check], tuple[str, ...]]:
    """The known checks (those families and the families of what may cause them) and the ids that the selectors mean."""
    wanted = tuple(selectors)
    plain = {selector.partition(".")[0] for selector in wanted}
    everything = any(set(family) & set("*?[") or family not in registry.families() for family in plain)
    known = registry.load(None if everything else plain)
    selected: dict[str, None] = {}
    for selector in wanted:
        matched = [id for id in known if selector in (id, id.partition(".")[0]) or fnmatch.fnmatch(id, selector)]
        if not matched:
            raise UnknownSelectorError(unknown(selector, [*registry.load(), *registry.families()]))
        selected.update(dict.fromkeys(matched))
    loaded: set[str] = set()
    while True:
        open_families = {cause.partition(".")[0] for each in known.values() for cause in each.caused_by} - loaded
        if not open_families:
            return known, tuple(sorted(selected))
        loaded |= open_families
        known = registry.load(open_families)


def unknown(name: str, candidates: Iterable[str]) -> str:
    """One sentence that names the nearest of the candidates."""
    near = difflib.get_close_matches(name, list(candidates), n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"there is no check {name!r}{hint} (diagnose list shows all)"
