"""The check network.inner-address-announced."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.sockets.ftp_addresses import ftp_servers
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.questions.sockets import Socket
from tests.checks.network.evidence import container, namespaces_of
from tests.hosts import Made
from tests.judging import judge

PORTS = {"10000/udp": [{"HostIp": "0.0.0.0", "HostPort": "10000"}]}
NETS = {"shop": {"IPAddress": "172.18.0.2", "IPPrefixLen": 16, "Gateway": "172.18.0.1"}}
SETTINGS = {"Networks": NETS, "Ports": PORTS}
PAIR = "INFO: Pair failed: 172.18.0.2:10000/udp/host -> 192.168.3.13:53994/udp/host (RTP)"
NAMED = "JVB_ADVERTISE_IPS=192.0.2.10"
FORMER = "DOCKER_HOST_ADDRESS=192.0.2.10"
LINES: dict[str, tuple[str, str, list[str], str]] = {
    "Jitsi": (PAIR, "jitsi/jvb:stable", [], NAMED),
    "Jitsi of old": (PAIR, "jitsi/jvb:stable", ["DOCKER_HOST_ADDRESS=10.9.9.9"], FORMER),
    "another server": (PAIR, "livekit/livekit-server:v1", [], ""),
}
CALM = {
    "a pair that holds": PAIR.replace("failed", "nominated"),
    "a neighbour": PAIR.replace("192.168.3.13", "172.18.0.9"),
    "an address of others": PAIR.replace("172.18.0.2", "192.0.2.10"),
    "another port": PAIR.replace(":10000", ":20000"),
}


def _judged(line: str, image: str = "jitsi/jvb:stable", env: tuple[str, ...] = (), last: str = ""):
    jvb = container("jvb", NetworkSettings=SETTINGS, Config={"Image": image, "Env": list(env)})
    lines = tuple(RecentLine(1000.0 + at, line) for at in range(4))
    lines += (RecentLine(1004.0, last),) if last else ()
    return judge(
        "network.inner-address-announced",
        containers=Containers((jvb,)),
        recent_logs=RecentLogs({jvb.id: lines}),
        clock=Clock(1010.0, 0.0),
        uplinks=Uplinks((Uplink("eth0", "192.0.2.10"),)),
    ).findings


@pytest.mark.parametrize(("line", "image", "env", "announced"), LINES.values(), ids=LINES)
def test_paths_that_fail(line: str, image: str, env: list[str], announced: str) -> None:
    (finding,) = _judged(line, image, tuple(env))
    assert finding.variables.get("announced", "") == announced
    assert "172.18.0.2:10000" in finding.summary


@pytest.mark.parametrize(
    "env",
    ["JVB_ADVERTISE_IPS=192.0.2.10", "DOCKER_HOST_ADDRESS=8.8.4.4", "NAT_EXTERNAL_IP=8.8.4.4"],
)
def test_program_that_knows_an_address_for_clients(env: str) -> None:
    assert not _judged(PAIR, env=(env,))


def test_path_that_holds_beside_those_that_fail() -> None:
    assert not _judged(PAIR, last=PAIR.replace("failed", "validated").replace("172.18", "192.0"))


@pytest.mark.parametrize("line", CALM.values(), ids=CALM)
def test_other_lines(line: str) -> None:
    assert not _judged(line)


CONTROL = {"21/tcp": [{"HostIp": "", "HostPort": "21"}]}
GO_FTP = "fclairamb/ftpserver:latest"
FTP: dict[str, tuple[str, list[str], str, dict[str, str] | None]] = {
    "a variable of the image": (
        "fauria/vsftpd", [], "", {"announced": "PASV_ADDRESS=192.0.2.10"},
    ),
    "the variable is set": ("fauria/vsftpd:latest", ["PASV_ADDRESS=203.0.113.9"], "", None),
    "an empty setting": (
        GO_FTP, [], '{"public_host": ""}', {"ftp_setting": "public_host", "ftp_file": "/srv/ftpserver.json"},
    ),
    "a setting": (GO_FTP, [], '{"public_host": "203.0.113.9"}', None),
    "an unknown image": ("lab/ftp:1", [], "", None),
}  # fmt: skip


@pytest.mark.parametrize(("image", "env", "text", "cure"), FTP.values(), ids=FTP)
def test_servers_of_ftp(image: str, env: list[str], text: str, cure: dict[str, str] | None) -> None:
    place = {"Type": "bind", "Source": "/srv/ftpserver.json", "Destination": "/app/ftpserver.json"}
    ftp = container(
        "ftp",
        NetworkSettings={"Networks": NETS, "Ports": CONTROL},
        Config={"Image": image, "Env": env},
        Mounts=[place] if text else [],
    )
    servers = ftp_servers(
        Made({"file.read": {"text": text}}),
        Containers((ftp,)),
        namespaces_of(ftp, Socket("tcp", "0.0.0.0", 21)),
        None,
    )
    found = judge(
        "network.inner-address-announced",
        containers=Containers((ftp,)),
        recent_logs=RecentLogs({}),
        clock=Clock(1010.0, 0.0),
        uplinks=Uplinks((Uplink("eth0", "192.0.2.10"),)),
        ftp_servers=servers,
    ).findings
    assert len(found) == (cure is not None)
    for finding in found:
        assert cure is not None
        assert cure.items() <= finding.variables.items()
