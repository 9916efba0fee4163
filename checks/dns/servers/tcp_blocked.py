"""dns.tcp-blocked: answers that are too large for UDP do not come, as TCP is shut."""

from collections.abc import Iterator

from checks.dns.helpers import FAILED_CONTAINERS
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.mappings import by_key, names_of
from diagnose.model import HOST, CheckResult, Finding, Severity
from diagnose.phrases import and_more, named, sentence
from diagnose.registry import check


@check("dns.tcp-blocked", severity=Severity.critical, causes=FAILED_CONTAINERS)
def tcp_blocked(containers: Containers, lookups: Lookups) -> CheckResult:
    """A DNS server does not answer over TCP, and names with large answers fail.

    An answer that is too large for UDP comes back cut short, and the program asks again over TCP
    (RFC 7766). A firewall that lets UDP 53 pass and not TCP 53 breaks just these names. A
    container's log says that such a name failed.
    """
    for server, reply in lookups.tcp_for_large.items():
        cut_short = by_key(_cut_short(server, containers, lookups))
        if cut_short and not reply.answered:
            callers = {caller.id: caller for members in cut_short.values() for caller in members}
            yield _finding(server, str(reply), list(cut_short), list(callers.values()))


def _cut_short(
    server: str, containers: Containers, lookups: Lookups
) -> Iterator[tuple[str, Container]]:
    """The names about which the server's answer over UDP was cut short, and who asked."""
    for container in containers:
        for name, replies in lookups.failed_by_name(container).items():
            if server in replies and replies[server].truncated:
                yield name, container


def _finding(server: str, reply: str, names: list[str], callers: list[Container]) -> Finding:
    return Finding(
        subject=HOST,
        summary=sentence(
            f"DNS server {server} does not answer over TCP, and its answer for "
            f"{and_more(names)} is too large for UDP",
            f"{named('container', sorted(names_of(callers)))} cannot resolve the name",
        ),
        evidence={
            **{f"{name} A at {server} over UDP": "cut short" for name in names[:3]},
            f"DNS server {server} over TCP": "no answer" if reply.startswith("silent") else reply,
        },
        variables={"server": server, "name": names[0]},
        discriminator=server,
        touches=tuple(
            subject
            for container in callers
            for subject in (container.subject, *container.network_subjects)
        ),
        signs=frozenset({"dns", "timeout"}),
        recheck=tuple(run for caller in callers for run in caller.caller_runs),
    )
