"""What several tests of bounds use."""

from __future__ import annotations

from typing import Any

from diagnose.model import Check, HostFacts, Report, Severity


def a_check(id: str, function: Any = lambda: None, **options: Any) -> Check:
    return Check(
        id,
        "title",
        options.get("severity", Severity.critical),
        function,
        needs=(),
        thresholds=(),
        caused_by=options.get("caused_by", ()),
        causes=(),
        posture=False,
    )


class Shape:
    """Made evidence."""


# Words


def report(**options: Any) -> Report:
    given = {"findings": (), "results": (), **options}
    return Report("1", HostFacts("shop", "6.1", None), 0.0, 0.5, "live", **given)
