"""Compound incidents, declared by a decorator: several faults and what follows from them on one
host.

    @incident("storage.disk-full", "filesystem:/var/lib/docker", effects=[("container.restart-loop",
    "container:cart")]) def volume_fills_the_disk(box: Box) -> None:
        '''A database fills the disk, and services fail for want of space.'''
        ...

Beside each stands a bystander: a fault that has nothing to do with it and must stay a root of its
own.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .box import Box
from .engines import Engine
from .faults import Expectation, Inject, matches
from .runner import BASE_CONFIG, SurpriseError


@dataclass(frozen=True)
class Incident:
    """What is broken, and which findings must be roots (the true root the first) and which effects
    of it.

    also: findings above advice that are allowed beside these, as effects only. newest_too: what
    differs by engine is seen on the newest as well as on the oldest. engine_started, box, config,
    flags: as for a fault.
    """

    name: str
    doc: str
    inject: Inject
    root: Expectation
    effects: tuple[Expectation, ...]
    bystander: Expectation
    also: tuple[Expectation, ...] = ()
    newest_too: bool = False
    engine_started: bool = True
    box: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


INCIDENTS: dict[str, Incident] = {}


def incident(
    root: str,
    subject: str,
    *,
    effects: Iterable[Expectation],
    bystander: Expectation,
    also: Iterable[Expectation] = (),
    **options: Any,
) -> Callable[[Inject], Inject]:
    """Declare a compound incident by its true root's id and subject; globs work everywhere."""

    def register(inject: Inject) -> Inject:
        doc = (inject.__doc__ or "").strip().split("\n")[0]
        INCIDENTS[inject.__name__] = Incident(
            inject.__name__,
            doc,
            inject,
            (root, subject),
            tuple(effects),
            bystander,
            tuple(also),
            **options,
        )
        return inject

    return register


def discover() -> dict[str, Incident]:
    """All declared incidents by name."""
    from .scenarios import incidents

    for module in pkgutil.iter_modules(incidents.__path__, f"{incidents.__name__}."):
        importlib.import_module(module.name)
    return INCIDENTS


def run(what: Incident, engine: Engine) -> list[dict[str, Any]]:
    """Build the incident's host in a box of its own and return what the tool finds."""
    with Box(engine, **what.box) as box:
        if what.engine_started:
            config = {k: v for k, v in {**BASE_CONFIG, **what.config}.items() if v is not None}
            box.start_engine(*what.flags, config=config)
        what.inject(box)
        return box.diagnose("all", "--format", "json").findings


def judge(what: Incident, expected: list[dict[str, Any]]) -> None:
    """Raise SurpriseError unless the true root is the first root, its effects lead to it, and the
    bystander stands alone."""
    loud = [finding for finding in expected if finding["severity"] != "advice"]
    by_key = {finding["key"]: finding for finding in expected}
    wrong = [
        *_wrong_roots(what, [finding for finding in loud if finding["root"]]),
        *_wrong_effects(what, loud, by_key),
        *_strangers(what, loud),
    ]
    if wrong:
        raise SurpriseError("\n".join([*wrong, "the report:", *map(_line, loud)]))


def _wrong_roots(what: Incident, roots: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not roots or not _is(roots[0], what.root):
        yield f"the first root is not {what.root[0]} {what.root[1]}"
    if not any(_is(root, what.bystander) for root in roots):
        yield f"the bystander is not a root of its own: {what.bystander[0]} {what.bystander[1]}"
    for root in roots:
        if not _is(root, what.root) and not _is(root, what.bystander):
            yield f"shown as a root: {root['key']}"


def _wrong_effects(
    what: Incident, loud: Sequence[Mapping[str, Any]], by_key: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for effect in what.effects:
        hits = [finding for finding in loud if _is(finding, effect)]
        if not hits:
            yield f"not found: {effect[0]} {effect[1]}"
        for finding in hits:
            if not any(_is(top, what.root) for top in _tops(finding, by_key)):
                yield f"does not lead to the root: {finding['key']}"


def _strangers(what: Incident, loud: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    known = (what.root, what.bystander, *what.effects, *what.also)
    for finding in loud:
        if not any(_is(finding, expectation) for expectation in known):
            yield f"found what was not broken: {finding['key']}"


def _is(finding: Mapping[str, Any], expected: Expectation) -> bool:
    return matches(
        expected, finding["id"], f"{finding['subject']['kind']}:{finding['subject']['name']}"
    )


def _tops(
    finding: Mapping[str, Any], by_key: Mapping[str, Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The roots above a finding, by the first and likeliest of its causes."""
    seen = set()
    while finding["caused_by"] and finding["key"] not in seen:
        seen.add(finding["key"])
        finding = by_key[finding["caused_by"][0]["key"]]
    return [finding]


def _line(f: Mapping[str, Any]) -> str:
    because = "; ".join(f"<- {c['key']} ({c['because']})" for c in f["caused_by"])
    return f"  {'ROOT' if f['root'] else '    '} {f['key']}: {f['summary']} {because}"
