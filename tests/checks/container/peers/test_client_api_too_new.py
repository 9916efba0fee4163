"""The checks in checks/container/peers/client_api_too_new.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.info import Ping
from tests.checks.container.evidence import CLOCK, FOUND, failed_with_log
from tests.inspected import of
from tests.judging import judge, rows


@pytest.mark.parametrize(("api", "expected"), [("1.41", FOUND), ("1.47", [])])
def test_a_client_that_is_too_new(api: str, expected: list[tuple[str, str]]):
    container, log_tails = failed_with_log(
        "client version 1.44 is too new. Maximum supported API version is 1.41"
    )
    result = judge(
        "container.client-api-too-new",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        ping=Ping(api, "20.10.24", ""),
    )
    assert rows(result) == expected
