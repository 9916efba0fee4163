"""Secrets of programs that log nothing, of which compose has left a part."""

from typing import Any

import pytest

from diagnose.evidence.containers.compose.lost_dollars import lost_dollars
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from tests.hosts import Made
from tests.inspected import container, of

LABELS = {
    "com.docker.compose.project": "desk",
    "com.docker.compose.service": "web",
    "com.docker.compose.project.working_dir": "/srv/desk",
    "com.docker.compose.project.config_files": "/srv/desk/compose.yaml",
}
LOST = {"path": "/srv/desk/.env", "line": 1, "name": "ADMIN_PASSWORD", "is_plain": True}
CASES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "what compose leaves": ("ADMIN_PASSWORD=open", {"lefts": ["ADMIN_PASSWORD=open"]}, True),
    "as a token": (
        "ADMIN_PASSWORD=<redacted:password:len=4:ab12>",
        {"lefts": ["ADMIN_PASSWORD=<redacted:secret:len=4:ab12>"]},
        True,
    ),
    "another value": ("ADMIN_PASSWORD=open$x", {"lefts": ["ADMIN_PASSWORD=open"]}, False),
    "nobody knows what it leaves": ("ADMIN_PASSWORD=open", {}, False),
    "no secret": ("TITLE=open", {"name": "TITLE", "lefts": ["TITLE=open"]}, False),
}


@pytest.mark.parametrize(("env", "lost", "is_found"), CASES.values(), ids=CASES)
def test_the_value_of_a_silent_program(env: str, lost: dict[str, Any], is_found: bool) -> None:
    web = container("web", Config={"Env": [env, "API_TOKEN=x"], "Labels": LABELS})
    host = Made({"file.dollars": [{**LOST, **lost}]})
    cuts = lost_dollars(host, of(web), LogTails({}, {}), None, Clock(2e9, 1e9), Options())
    assert (cuts.of(web) is not None) is is_found
