"""network.interface-throttled: an interface of containers loses or holds back what they send."""

from diagnose.evidence.network.wiring.throttled_interfaces import (
    SendingInterface,
    ThrottledInterface,
    ThrottledInterfaces,
)
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Subject
from diagnose.phrases import count, joined, named, size
from diagnose.registry import check

_KILO = 1_000
_MEGA = 1_000_000


@check(
    "network.interface-throttled",
    severity=Severity.warning,
    causes=["network.call-unanswered", "network.calls-failing", "network.clients-unanswered"],
)
def interface_throttled(throttled_interfaces: ThrottledInterfaces) -> CheckResult:
    """A queue of an interface loses or holds back what containers send.

    `tc` sets such queues: netem loses and delays packets on purpose, for tests of bad networks, and
    tbf, htb and cake limit a rate. They stay when the program that set them has ended. It counts
    where netem loses or delays, and where a limit of at most 10 Mbit a second has dropped packets
    within the second in which it was looked at, or had some waiting. A limit of an uplink is
    advice: routers shape a slow line so on purpose, and drop packets whenever it is full. The check
    looks at uplinks, the bridges of networks, and both ends of veth pairs. It does not look at
    incoming packets.
    """
    for interface in throttled_interfaces:
        if interface.is_impaired or interface.is_starving:
            yield _finding(interface)
    yield from throttled_interfaces.unexamined


def _finding(interface: ThrottledInterface) -> Finding:
    sending = interface.sending
    queue = interface.queue
    return Finding(
        subject=sending.link.subject if sending.inside is None else sending.inside.subject,
        summary=f"{_interface_and_owner(sending)} {_harm_clause(interface)} ({queue.kind})",
        evidence=present(
            {
                "queue": f"{queue.kind} {queue.handle}",
                "packets sent": queue.sent,
                "packets dropped since it was set up": queue.dropped,
                "packets dropped within a second": interface.dropped,
                "bytes that wait": queue.backlog,
                "containers": list(names_of(sending.containers))[:10],
            }
        ),
        severity=Severity.advice if sending.is_uplink and not interface.is_impaired else None,
        discriminator=sending.link.name if sending.inside is not None else "",
        touches=_touched_subjects(sending),
        signs=frozenset({"timeout"}),
        recheck=(sending.inside.run,) if sending.inside is not None else (),
        variables=_variables(sending),
    )


def _touched_subjects(sending: SendingInterface) -> tuple[Subject, ...]:
    networks = subjects_of([sending.network])
    return (*networks, *subjects_of(sending.containers))


def _interface_and_owner(sending: SendingInterface) -> str:
    """The interface, and the container or network whose packets pass it, as a clause."""
    name = sending.link.name
    if sending.inside is not None:
        return f"interface {name} in {sending.inside}"
    if sending.network is not None:
        return f'interface {name}, the bridge of network "{sending.network.name}",'
    if sending.is_uplink:
        return f"interface {name}, by which this host reaches others,"
    return (
        f"interface {name}, the host's end of {named('container', names_of(sending.containers))},"
    )


def _harm_clause(interface: ThrottledInterface) -> str:
    """The predicate about packets that the queue of the interface loses, delays or drops."""
    queue = interface.queue
    parts = []
    if queue.loss:
        parts.append(f"loses {queue.loss:.1%} of its packets")
    if queue.delay_ms:
        parts.append(f"delays each packet by {queue.delay_ms:g} ms")
    if parts:
        return f"{joined(parts)} on purpose"
    assert queue.rate is not None  # only what limits is starving
    packets = count(interface.dropped, "packet")
    waiting_clause = f", and {size(queue.backlog)} wait" if queue.backlog else ""
    return f"may send {_bits(queue.rate)} a second: it dropped {packets} within a second{waiting_clause}"


def _bits(rate: int) -> str:
    """The rate of this number of bytes, in the units of `tc`."""
    bits = rate * 8
    return f"{bits / _MEGA:.3g} Mbit" if bits >= _MEGA else f"{bits / _KILO:.3g} kbit"


def _variables(sending: SendingInterface) -> PageVariables:
    if sending.inside is not None:
        return {"inner": sending.link.name, "container": sending.inside.name}
    return {"interface": sending.link.name}
