"""The published ports of this host that a question is about, by TCP and by UDP."""

from collections.abc import Iterator

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.symptoms.user_question import UserQuestion

MOST = 20
"""At most this many ports are walked where a question means all of them."""


def all_ports(containers: Containers) -> Iterator[str]:
    """The ports that running containers publish for other machines."""
    for container, binding in _published_ports(containers):
        yield _target_of(container, binding)


def udp_ports(question: UserQuestion, containers: Containers) -> Iterator[str]:
    """The published UDP ports that are out of reach by the words of the question.

    If these name a container as well, only its own ports.
    """
    candidates = [
        (container, binding)
        for container, binding in _published_ports(containers)
        if binding.protocol == "udp"
        and not {binding.host_port, binding.number}.isdisjoint(question.udp_ports)
    ]
    named_ports = [port for port in candidates if not question.words.isdisjoint(port[0].dns_names)]
    for container, binding in named_ports or candidates:
        yield _target_of(container, binding)


def _published_ports(containers: Containers) -> Iterator[tuple[Container, PortBinding]]:
    for container in containers.running:
        for binding in (*container.published_by("tcp"), *container.published_by("udp")):
            if not binding.is_ipv6 and not (binding.host_ip and binding.is_for_host_alone):
                yield container, binding


def _target_of(container: Container, binding: PortBinding) -> str:
    """A published port as `diagnose path` takes it: the protocol follows a slash."""
    protocol = "/udp" if binding.protocol == "udp" else ""
    return f"{container.name}:{binding.number}{protocol}"


def udp_suffix(container: Container, port: int | None, question: UserQuestion) -> str:
    """`PORT/udp` where the question is about a port of a container that takes UDP; "" otherwise."""
    bindings = [
        binding
        for binding in (*container.published_ports, *container.wanted_ports)
        if not port or port in (binding.host_port, binding.number)
    ]
    over_udp = [binding for binding in bindings if binding.protocol == "udp"]
    is_udp = len(over_udp) == len(bindings) or question.is_of_udp
    return f"{over_udp[0].number}/udp" if over_udp and is_udp else ""
