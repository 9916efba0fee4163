"""What the tool asks of a real engine, and in which order, as the engine's own debug log tells
it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tests.bench import hosts
from tests.lab.box import LOG, Box
from tests.lab.engines import Engine

RUNNING, ALL = 4, 12
_ASKED = re.compile(r'(?:Calling GET |request-url="?)(/[^\s"]*)')


def asked(box: Box, *args: str) -> list[str]:
    """The paths that one run asked for, in the engine's order, without the API's version."""
    before = len(box.read(LOG))
    box.diagnose(*args)
    return [re.sub(r"^/v\d+\.\d+", "", path) for path in _ASKED.findall(box.read(LOG)[before:])]


def test_each_thing_is_asked_once_and_the_dear_ones_last_or_never(engine: Engine) -> None:
    with Box(engine, disk="400M") as box:
        hosts.start(box, debug=True)
        hosts.grow(box, ALL, RUNNING)
        ids = [row["Id"] for row in box.api("/containers/json?all=1")]
        assert len(ids) == ALL

        paths = asked(box, "all")
        plain = [urlsplit(path).path for path in paths]
        assert plain[0] == "/_ping"
        assert plain.count("/containers/json") == 1
        for id_ in ids:
            assert plain.count(f"/containers/{id_}/json") == 1
        assert not [path for path in plain if path.endswith(("/stats", "/top", "/system/df"))]
        assert not [path for path in paths if "size=1" in path]

        box.fill("/var/lib/docker/filler", 0.8)
        plain = [urlsplit(path).path for path in asked(box, "all")]
        assert "/system/df" in plain
        assert set(plain[plain.index("/system/df") :]) == {"/system/df"}
        assert len(plain) > ALL
