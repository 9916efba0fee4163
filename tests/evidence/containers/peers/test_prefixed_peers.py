"""Neighbours that serve below a path: diagnose/evidence/containers/peers/prefixed_peers.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.peers.prefixed_peers import prefixed_peer
from tests.inspected import container, of

LINE = (
    "caller=notifier.go:549 level=error alertmanager=http://alertmanager:9093/api/v2/alerts count=1 "
    'msg="Error sending alert" err="bad response status 404 Not Found"'
)
BELOW = "--web.external-url=http://mon.lab.test/alertmanager"


def on_network(name: str, address: str, **config: Any) -> Any:
    network = {"NetworkID": "n1", "IPAddress": address, "Aliases": [name]}
    return container(name, Config=config, NetworkSettings={"Networks": {"mon": network}})


@pytest.mark.parametrize(
    ("command", "environment", "line", "prefix"),
    [
        ([BELOW], [], LINE, "/alertmanager"),
        (["--web.external-url", "http://mon/a/"], [], LINE, "/a"),
        ([BELOW, "--web.route-prefix=/"], [], LINE, ""),
        (["--web.external-url=http://mon.lab.test/"], [], LINE, ""),
        ([BELOW], [], LINE.replace("404 Not Found", "500 Internal Server Error"), ""),
        ([BELOW], [], LINE.replace("9093/api", "9093/alertmanager/api"), ""),
        ([BELOW], [], LINE.replace("alertmanager:9093", "other:9093"), ""),
        ([], ["KC_HTTP_RELATIVE_PATH=/auth"], LINE, "/auth"),
        ([], ["GF_SERVER_ROOT_URL=http://mon/grafana"], LINE, ""),
        ([], ["GF_SERVER_ROOT_URL=http://mon/g", "GF_SERVER_SERVE_FROM_SUB_PATH=true"], LINE, "/g"),
    ],
)
def test_a_call_that_leaves_the_path_out(
    command: list[str], environment: list[str], line: str, prefix: str
) -> None:
    caller = on_network("prometheus", "172.18.0.2")
    peer = on_network("alertmanager", "172.18.0.3", Cmd=command, Env=environment)
    found = prefixed_peer(line, caller, of(caller, peer))
    assert (found.prefix if found is not None else "") == prefix
    if found is not None:
        assert found.served == f"http://172.18.0.3:9093{prefix}/api/v2/alerts"
