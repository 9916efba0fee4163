"""The cure matrix: which runbook pages were seen to heal, and how. Printed after the tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diagnose import runbooks
from tests.lab.cures.by_hand import UNPROVABLE

TITLES = {
    "own text": "healed by their own text",
    "own text, systemd stood in for": "healed by their own text, with a stand-in for systemd",
    "equivalent": "healed by an equivalent",
    "unproven": "unproven",
}
ORDER = tuple(TITLES)


def lines(cures: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A row per page, the best proof that was seen; then the pages of which nothing was seen.

    cures: the attributes of `proof.Cure` values.
    """
    best: dict[str, Mapping[str, Any]] = {}
    for cure in cures:
        before = best.get(cure["id"])
        if before is None or _rank(cure) < _rank(before):
            best[cure["id"]] = cure
    for how, title in TITLES.items():
        rows = [cure for _, cure in sorted(best.items()) if cure["how"] == how]
        yield f"{len(rows)} pages {title}"
        for cure in rows:
            yield f"  {cure['id']:38} {_said(cure)}"
    unseen = sorted(set(runbooks.paths()) - best.keys())
    yield f"{len(unseen)} pages whose fault was not made here: {', '.join(unseen) or 'none'}"


def _rank(cure: Mapping[str, Any]) -> tuple[bool, int]:
    return bool(cure["complaints"]), ORDER.index(cure["how"])


def _said(cure: Mapping[str, Any]) -> str:
    if cure["complaints"]:
        return f"FAILED on {cure['scenario']}"
    if cure["how"] == "unproven":
        return f"{cure['scenario']}: {UNPROVABLE.get(cure['scenario'], 'no reason given')}"
    return f"{'; '.join(cure['steps'])} ({cure['scenario']})"
