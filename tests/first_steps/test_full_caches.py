"""The server that a line is about: a Redis that is full."""

from __future__ import annotations

import pytest

from diagnose.first_steps.rows.server_steps import server_of
from diagnose.programs.failures import FAILURES, Recognised
from tests.inspected import container, of

NEAR = {"NetworkSettings": {"Networks": {"shop": {"Aliases": ["cache"]}}}}
WORKS = {"Env": ["REDIS_URL=redis://cache:6379"], "Cmd": ["celery", "worker"]}
LINE = "OOM command not allowed when used memory > 'maxmemory' at cache:6379"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"Cmd": ["serve"]}, {"full_cache": "cache"}),
        (WORKS, {}),
        ({**WORKS, "Env": []}, {"full_cache": "cache"}),
    ],
)
def test_keys_of_a_queue_are_not_dropped(
    config: dict[str, list[str]], expected: dict[str, str]
) -> None:
    row = next(row for row in FAILURES if row.name == "redis-full")
    beside = {"NetworkSettings": {"Networks": {"shop": {}}}}
    web = container("web", **beside)
    cache = container("cache", Config={"Image": "redis:7"}, **NEAR)
    other = container("other", Config=config, **beside)
    assert server_of(web, Recognised(row, LINE, {}), of(web, cache, other)) == expected
