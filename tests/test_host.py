"""The seam between evidence and the world: what a host notes besides its answers."""

from __future__ import annotations

from diagnose.model import PartLookedAt
from tests.hosts import Made


def test_what_is_beyond_a_limit_is_noted() -> None:
    host = Made({})
    assert host.first(["a", "b", "c"], 2, "web servers") == ["a", "b"]
    assert host.first(["a", "b"], 2, "compose files") == ["a", "b"]
    assert host.parts_looked_at == (PartLookedAt("web servers", 2, 3),)
