"""The list of containers where it is long: what is kept of its rows."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from diagnose.live.engine import api
from tests.live.servers import Ask, Script, Server, reply, says
from tests.questions import question

ROW = {
    "Id": "a1",
    "Names": ["/web"],
    "Image": "shop:1.4",
    "State": "running",
    "Status": "Up 2 hours",
}
WHOLE = {**ROW, "Labels": {"owner": "shop"}, "Mounts": [], "HostConfig": {"NetworkMode": "x"}}
LISTS: dict[str, tuple[Any, Any]] = {
    "rows": ([WHOLE, WHOLE], [ROW, ROW]),
    "values of other types": ([{"Id": 7, "Names": None, "Size": 1}], [{"Id": 7, "Names": None}]),
    "no list": ({"message": "x"}, {"message": "x"}),
    "no rows": (["a", 1], ["a", 1]),
}


@pytest.mark.parametrize(("said", "kept"), LISTS.values(), ids=LISTS)
def test_a_long_list_has_what_a_run_reads(
    monkeypatch: pytest.MonkeyPatch,
    ask: Ask,
    serve: Callable[[Script], Server],
    said: Any,
    kept: Any,
) -> None:
    monkeypatch.setattr(api, "LONG_BYTES", 10)
    server = serve(says(reply(json.dumps(said).encode())))
    assert ask(server.live(), question("api.containers")) == kept


def test_a_short_list_is_whole(ask: Ask, serve: Callable[[Script], Server]) -> None:
    server = serve(says(reply(json.dumps([WHOLE]).encode())))
    assert ask(server.live(), question("api.containers")) == [WHOLE]
