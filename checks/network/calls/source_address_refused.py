"""network.source-address-refused: others refuse a container for the address by which it leaves."""

from collections.abc import Collection, Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.source_refusals import (
    COMPLAINS,
    REFUSED,
    is_outer_address,
    published_at,
    source_refusal_of,
)
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.first_steps.network.rule_cures import of_source_address
from diagnose.mappings import present
from diagnose.model import CheckResult, Count, Finding, Severity, Skipped
from diagnose.phrases import quoted, sentence
from diagnose.registry import check


@check("network.source-address-refused", severity=Severity.warning)
def source_address_refused(
    containers: Containers,
    recent_logs: RecentLogs,
    interfaces: Interfaces,
    networks: Networks,
    clock: Clock,
    *,
    least: Count = Count(3),
) -> CheckResult:
    """Others refuse a container for the address by which it leaves the host.

    The engine hides what a container sends behind the first address of the interface by which it
    leaves, whatever the address is at which its ports are published. A mail server or a list of
    allowed addresses on the other side then sees an address that it does not expect.

    The container's own log says repeatedly that it is refused, and names an address of this host.
    It is advice where its ports are not published at another address of this host: then the other
    side has to allow this one.

    Lines about somebody who calls the container itself are left out: programs of this host call it
    with that address. Lines that may be about a password are left out too.
    """
    host_addresses = [
        address for address in interfaces.shown_addresses if is_outer_address(address, networks)
    ]
    callers = [container for container in containers.running if not container.shares_host_network]
    if not host_addresses or not callers:
        return Skipped("no running container leaves by an address of this host")
    for container in callers:
        published = published_at(container, host_addresses)
        for address in host_addresses:
            is_published_elsewhere = published not in ("", address)
            wording = COMPLAINS if is_published_elsewhere else REFUSED
            is_refusal = source_refusal_of(address, wording)
            lines = recent_logs.repeated(container, is_refusal, clock, least)
            if lines:
                yield _finding(container, address, lines, host_addresses, networks)
    yield from recent_logs.left_out(callers)


def _finding(
    container: Container,
    address: str,
    lines: Sequence[RecentLine],
    host_addresses: Collection[str],
    networks: Networks,
) -> Finding:
    """The finding about a refused source address.

    host_addresses: the addresses of the host that others see.
    """
    published = published_at(container, host_addresses)
    is_published_elsewhere = published not in ("", address)
    steps = {"refused": address}
    if is_published_elsewhere:
        steps = of_source_address(container, published, networks)
    return Finding.about(
        container,
        sentence(
            f"{container} is refused by others because of its source address {address}, with "
            "which it leaves this host",
            f"its ports are published at {published}" if is_published_elsewhere else "",
        ),
        present(
            {
                "log": quoted(lines[-1].text),
                "such lines": len(lines),
                "addresses of this host": sorted(host_addresses),
            }
        ),
        discriminator=address,
        severity=None if is_published_elsewhere else Severity.advice,
        recheck=container.caller_runs,
        variables=steps,
    )
