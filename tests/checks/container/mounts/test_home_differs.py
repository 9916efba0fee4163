"""The check in checks/container/mounts/home_differs.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.other_homes import OtherHome, OtherHomes
from diagnose.evidence.images.details import ImageDetails
from diagnose.questions.images import Detail
from tests.checks.container.evidence import CLOCK
from tests.inspected import EXITED, container
from tests.judging import judge, rows

LINE = "Executable doesn't exist at /home/app/.cache/chrome"
UP, DOWN = container("renderer"), container("renderer", **EXITED)
ROOTS = ImageDetails({"sha256:1111": Detail(id="sha256:1111")}, {"sha256:1111": "shop:1.4"})
ROWS = {
    "it runs on": (UP, True, "warning", {"home": "/root"}),
    "it has ended": (DOWN, True, "critical", {"home": "/root"}),
    "its user may not enter": (DOWN, False, "critical", {"overridden": "user"}),
}


@pytest.mark.parametrize(("owner", "is_open", "severity", "steps"), ROWS.values(), ids=ROWS)
def test_home_differs(
    owner: Container, is_open: bool, severity: str, steps: dict[str, str]
) -> None:
    path = "/root/.cache/chrome"
    other = OtherHome(owner, LINE, LINE.split()[-1], path, "/home/app", "/root", is_open)
    answer = judge(
        "container.home-differs",
        other_homes=OtherHomes((other,)),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        image_details=ROOTS,
    )
    assert rows(answer) == [(severity, "renderer")]
    assert answer.findings[0].variables.items() >= steps.items()
