"""What a container is given is shown without secrets, whatever its variables are called."""

from __future__ import annotations

import re
import subprocess

import pytest

from diagnose.runbooks.files import text

PAGES = (
    "container.errors-in-log",
    "container.exits-at-start",
    "container.restart-loop",
    "container.restarts-exhausted",
)
_FILTER = re.compile(r"\{configured\} \| sed -E '(?P<script>[^']+)'")
PLAIN = (
    "DB_HOST=db",
    "FEED=http://db:9000/a",
    "MAILTO=ops@lab.test",
    "/srv/secrets -> /run/secrets",
    "EMPTY_PASSWORD=",
)
"""Lines without a secret: they are printed as they are."""
MASKED = (
    "DB_PW=made-up-word",
    "api_key=made-up-word",
    "UPSTREAM=amqp://shop:made-up-word@queue:5672/",
    "FEED=https://ops:made@up-word/x@feed.lab.test/x?y=1",
    "JAVA_OPTS=-Xmx1g -Ddb.password=made-up-word -Dx=1",
    "ODBC=Server=db;Uid=sa;Pwd=made-up-word;Encrypt=yes",
)


def masked(page: str, line: str) -> str:
    found = _FILTER.search(text(page))
    assert found is not None
    command = ["sed", "-E", found["script"]]
    return subprocess.run(command, input=line, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("line", MASKED)
def test_a_secret_is_not_printed(page: str, line: str) -> None:
    shown = masked(page, line)
    assert "made" not in shown
    assert "up-word" not in shown
    assert shown.startswith(line.partition("=")[0])


@pytest.mark.parametrize("line", PLAIN)
def test_what_is_no_secret_is_printed(line: str) -> None:
    assert masked(PAGES[0], line) == line
