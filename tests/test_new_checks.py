"""The changelog's list of new checks."""

from __future__ import annotations

from diagnose import registry
from tests.new_checks import lines


def test_what_is_known_is_not_new() -> None:
    known = registry.load().keys() - {"container.oom-killed"}
    assert lines(registry.load()) == []
    (line,) = lines(known)
    assert line.startswith("- `container.oom-killed` (critical): ")
