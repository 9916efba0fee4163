"""network.inner-address-announced: a program tells clients outside an address inside Docker."""

import functools

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.announced_addresses import (
    ADDRESS_PAIR,
    announced_variables,
    has_failed_path,
    has_reached_client,
    is_told_outer_address,
)
from diagnose.evidence.network.sockets.ftp_addresses import FtpServer, FtpServers
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.model import CheckResult, Count, Finding, Seconds, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check


@check(
    "network.inner-address-announced",
    severity=Severity.critical,
    aloud=("tells clients its address inside Docker", "tell clients addresses inside Docker"),
)
def inner_address_announced(
    containers: Containers,
    recent_logs: RecentLogs,
    clock: Clock,
    uplinks: Uplinks | None,
    ftp_servers: FtpServers | None,
    *,
    least: Count = Count(3),
    fresh: Seconds = Seconds(90),
) -> CheckResult:
    """A program tells its clients the address that its container has inside Docker.

    Servers of calls and video tell each client where to send sound and pictures. People join then,
    and neither see nor hear each other: only this host reaches that address. The log must say at
    least three times, and lately, that a path from the container's own address, at a port that is
    published over UDP, to an address outside its networks fails. A program that has reached any
    client since, or whose settings name this host's address or a public one, is left out: paths to
    addresses behind a client's router always fail.

    A server of FTP tells its address to each client that asks for it by PASV. It is advice where
    the settings of a published one name no other address: many clients ask by EPSV, which has none.
    """
    callers = [caller for caller in containers.running if any(caller.published_by("udp"))]
    for container in callers:
        nets = [
            place.addresses for name in container.endpoints for place in containers.subnets(name)
        ]
        says = functools.partial(has_failed_path, container, nets)
        lines = recent_logs.repeated(container, says, clock, least, fresh)
        is_well = lines and has_reached_client(recent_logs.of(container), lines[0].at)
        if lines and not is_well and not is_told_outer_address(container, uplinks):
            yield _finding(container, lines[-1].text, len(lines), uplinks)
    for server in ftp_servers or ():
        yield _ftp_finding(server, uplinks)
    yield from recent_logs.left_out(callers)


def _ftp_finding(server: FtpServer, uplinks: Uplinks | None) -> Finding:
    container = server.container
    place = f"variable {server.variable} is not set"
    if server.file:
        place = f"{server.file} does not say {server.setting}"
    uplink = uplinks.preferred if uplinks is not None else None
    address = uplink.address if uplink is not None else None
    variables = {"ftp_setting": server.setting, "ftp_file": server.file}
    if server.variable:
        variables = {"announced": f"{server.variable}={address}"} if address else {}
    return Finding.about(
        container,
        f"{container} serves FTP at its published port {server.port}, and tells clients that ask "
        f"by PASV to fetch data at its address inside Docker: {place}",
        {
            "addresses inside": sorted(container.ipv4_addresses),
            "NetworkSettings.Ports": container.published_names,
        },
        discriminator="ftp",
        severity=Severity.advice,
        signs=frozenset({"timeout"}),
        recheck=(container.run,),
        variables=variables,
    )


def _finding(container: Container, line: str, times: int, uplinks: Uplinks | None) -> Finding:
    match = ADDRESS_PAIR.search(line)
    assert match is not None  # the line was chosen by it
    return Finding.about(
        container,
        sentence(
            f"{container} tells its clients to call {match['own']}:{match['port']}, its address "
            f"inside Docker, which they cannot reach ({count(times, 'path')} failed recently)",
            f"it publishes port {match['port']} over UDP, and does not know this host's address",
        ),
        {"log": shortened(line, 200), "NetworkSettings.Ports": container.published_names},
        signs=frozenset({"timeout"}),
        recheck=(container.run,),
        variables=announced_variables(container, uplinks),
    )
