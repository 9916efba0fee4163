"""One walk along a path: its ends, the host, and the hops so far."""

from typing import NoReturn

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.container_netns import ContainerNetns
from diagnose.evidence.network.networks import Network
from diagnose.firewall.network_stack import NetworkStack
from diagnose.model import Subject
from diagnose.path.ends import End, PathTarget
from diagnose.path.model import Hop, HopKind, PathEvidence, State

ANY = frozenset({"0.0.0.0", "::", "*", ""})  # noqa: S104 - what a socket says that takes every address
NO_IPV4 = "has no IPv4 address there: its ways are not followed"


class EndedError(Exception):
    """A hop is broken: the packet goes no further."""


class Leg(msgspec.Struct, frozen=True):
    """The place at which packets enter the host: a bridge, an uplink, or the host itself ("")."""

    device: str = ""
    address: str | None = None
    network: Network | None = None
    """The network of the container that sends."""


class PathWalk:
    """One walk from end to end, and the hops that it has passed."""

    def __init__(self, site: PathEvidence, begin: End, target: PathTarget, end: End) -> None:
        self.site = site
        self.begin = begin
        self.end = end
        self.wanted = target
        self.hops: list[Hop] = []

    @property
    def stack(self) -> NetworkStack:
        """The host's network stack. A walk that gets so far has one."""
        assert self.site.host_stack is not None
        return self.site.host_stack.stack

    def add(
        self,
        kind: HopKind,
        place: str,
        text: str,
        state: State = "ok",
        *about: Subject,
        hint: str = "",
    ) -> None:
        """Pass a hop. EndedError where it is broken."""
        self.pass_hop(Hop(kind, place, text=text, state=state, about=about, hint=hint))

    def pass_hop(self, hop: Hop) -> None:
        """Pass a hop that is made elsewhere. EndedError where it is broken."""
        self.hops.append(hop)
        if hop.state == "broken":
            raise EndedError

    def break_off(
        self, kind: HopKind, place: str, text: str, *about: Subject, hint: str = ""
    ) -> NoReturn:
        """End the walk at a hop that is broken."""
        self.hops.append(Hop(kind, place, text=text, state="broken", about=about, hint=hint))
        raise EndedError

    def netns(self, container: Container) -> ContainerNetns | None:
        """The contents of the container's network namespace. None where it was not read."""
        namespaces = self.site.namespaces
        if namespaces is None:
            return None
        # one that joined another container's network may still live in that of its former run
        return namespaces.of(container) or namespaces.of(self.site.containers.owner_of(container))


def runs(walk: PathWalk, container: Container) -> None:
    """Add to the walk whether a container at an end of the path runs."""
    place = str(container)
    if container.is_running and container.state.status == "running":
        walk.add("process", place, f"runs, pid {container.state.pid}", "ok", container.subject)
        return
    if container.state.status == "paused":
        command = f"docker unpause {container.name}"
        text = "is paused: its processes do nothing"
        walk.break_off("process", place, text, container.subject, hint=command)
    ended = f", exit code {container.state.exit_code}" if container.state.status == "exited" else ""
    command = f"docker logs --tail 20 {container.name}"
    text = f"does not run: {container.state.status}{ended}"
    walk.break_off("process", place, text, container.subject, hint=command)


def no_network(container: Container) -> str:
    """Why a container has no address, in words."""
    if container.host_config.network_mode == "none":
        return "has no network (network mode none)"
    return "is on no network"
