"""The network namespace through which a node leads calls of services' published ports."""

import msgspec

from diagnose.evidence.swarm.swarm import Swarm
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.netns import ReadNamedNetns
from diagnose.registry import evidence

PATH = "/run/docker/netns/ingress_sbox"


class IngressSandbox(msgspec.Struct, frozen=True):
    """The engine's own namespace `ingress_sbox`."""

    is_there: bool = False
    forwards: bool = False
    """Whether packets are handed on in it."""


@evidence
def ingress_sandbox(host: Host, swarm: Swarm) -> IngressSandbox | Unavailable:
    """The namespace of the ingress network, which exists once a service publishes a port.

    Not asked outside a swarm.
    """
    if not swarm.is_used:
        return IngressSandbox()
    namespace = host.ask(ReadNamedNetns(PATH))
    if isinstance(namespace, Failed):
        return IngressSandbox() if namespace.reason == "missing" else Unavailable.of(namespace)
    return IngressSandbox(is_there=True, forwards=namespace.forwards)
