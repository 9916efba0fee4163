"""The check in checks/network/ports/ftp_data_unpublished.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.modules import Modules
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from tests.checks.network.evidence import container
from tests.judging import judge, rows

_FTP = {"21/tcp": [{"HostIp": "0.0.0.0", "HostPort": "21"}]}
_RANGE = {f"{port}/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(port)}] for port in (30000, 30001)}
_EXPOSED = {"ExposedPorts": {f"{port}/tcp": {} for port in (21, 29999, 30000, 30001, 30009)}}
_PLAIN = Modules("6.1", 2, "/lib/modules/6.1", frozenset({"nf_nat"}))
_HELPS = Modules("6.1", 2, "/lib/modules/6.1", frozenset({"nf_nat", "nf_nat_ftp"}))


def _judged(
    published: dict[str, Any], config: dict[str, Any], sockets: tuple[int, ...], modules: Modules
) -> Any:
    settings = {"Ports": published, "Networks": {"shop": {"IPAddress": "172.18.0.2"}}}
    server = container("ftpd", Config=config, NetworkSettings=settings)
    listeners = tuple(Socket("tcp", "0.0.0.0", port) for port in sockets)
    inside = ContainerNetns(server, 1, links=(), addresses=(), routes=(), listeners=listeners)
    return judge(
        "network.ftp-data-unpublished",
        containers=Containers((server,)),
        namespaces=Namespaces({server.id: inside}),
        modules=modules,
    )


@pytest.mark.parametrize(
    ("published", "sockets", "modules", "expected"),
    [
        (_FTP, (21, 38709), _PLAIN, [("warning", "ftpd")]),
        (_FTP | _RANGE, (21, 38709), _PLAIN, [("warning", "ftpd")]),
        (_FTP | _RANGE, (21, 30001), _PLAIN, []),
        (_FTP, (21,), _PLAIN, []),
        (_FTP, (21, 8080), _PLAIN, []),
        (_FTP, (8080, 38709), _PLAIN, []),
        (_FTP, (21, 38709), _HELPS, []),
        ({}, (21, 38709), _PLAIN, []),
    ],
    ids=[
        "data port", "beside the range", "in the range", "no client", "a web page", "no FTP",
        "the kernel helps", "not published",
    ],
)  # fmt: skip
def test_data_ports_of_ftp(
    published: dict[str, Any], sockets: tuple[int, ...], modules: Modules, expected: list[Any]
) -> None:
    assert rows(_judged(published, {}, sockets, modules)) == expected


def test_a_program_beside_the_server_is_no_port_for_data() -> None:
    settings = {"Ports": _FTP, "Networks": {"shop": {"IPAddress": "172.18.0.2"}}}
    server = container("panel", NetworkSettings=settings)
    beside = (Socket("tcp", "0.0.0.0", 11211, backlog=1024), Socket("tcp", "0.0.0.0", 33060))
    control = Socket("tcp", "0.0.0.0", 21)
    for listeners, expected in (
        ((control, *beside), []),
        ((control, Socket("tcp", "0.0.0.0", 11211, backlog=1)), [("warning", "panel")]),
        ((control, Socket("tcp", "0.0.0.0", 38709, backlog=4096)), [("warning", "panel")]),
    ):
        inside = ContainerNetns(server, 1, links=(), addresses=(), routes=(), listeners=listeners)
        judged = judge(
            "network.ftp-data-unpublished",
            containers=Containers((server,)),
            namespaces=Namespaces({server.id: inside}),
            modules=_PLAIN,
        )
        assert rows(judged) == expected


def test_the_range_that_the_image_declares_is_published() -> None:
    (finding,) = _judged(_FTP, _EXPOSED, (21, 30000), _PLAIN).findings
    assert finding.variables == {"container": "ftpd", "data_ports": "29999-30001:29999-30001"}
    (finding,) = _judged(_FTP, _EXPOSED, (21, 38709), _PLAIN).findings
    assert finding.variables == {"container": "ftpd", "ftp": "ftpd"}
