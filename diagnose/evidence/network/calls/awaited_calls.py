"""Calls whose missing answer matters, of all that sockets show. Pure."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.calls.failing_calls import where_named
from diagnose.evidence.network.calls.unanswered_call import MAIL
from diagnose.evidence.network.paths.wanted.wants import PORT_OF_SCHEME, PORT_OF_WORD
from diagnose.evidence.network.sockets.losses import NamespaceLoss
from diagnose.questions.sockets import WaitingCall

MOST_PLACES = 5
"""A program that calls more places which do not answer looks for some: a scanner, a monitor."""
_PRIVILEGED = 1024
_SERVICES = frozenset({*PORT_OF_SCHEME.values(), *PORT_OF_WORD.values()})


class AwaitedCall(msgspec.Struct, frozen=True):
    """A call whose missing answer matters, with further addresses at the same port."""

    container: Container
    waiting: WaitingCall
    further: tuple[str, ...] = ()
    protocol: Literal["tcp", "udp"] = "tcp"


def awaited_calls(
    losses: Iterable[NamespaceLoss], udp_losses: Iterable[NamespaceLoss]
) -> Iterator[AwaitedCall]:
    """The calls of these namespaces; udp_losses: those of UDP, all of which are wanted."""
    for loss in losses:
        yield from _wanted_calls(loss)
    for loss in udp_losses:
        for waiting in loss.calls:
            yield AwaitedCall(loss.container, waiting, protocol="udp")


def _wanted_calls(loss: NamespaceLoss) -> list[AwaitedCall]:
    """The calls whose missing answer matters, each with further addresses at the same port.

    Many machines at the port of one service, as a mail server calls them, are one call.
    """
    container = loss.container
    calls = [
        call
        for call in loss.calls
        if _is_wanted(call, container) and not ip_address(call.address).is_loopback
    ]
    if len(calls) > MOST_PLACES and all(call.port == MAIL for call in calls):
        return [AwaitedCall(container, calls[0], tuple(call.address for call in calls[1:]))]
    if len(calls) > MOST_PLACES:
        calls = [call for call in calls if where_named(call.address, container)]
    return [AwaitedCall(container, call) for call in calls]


def _is_wanted(call: WaitingCall, container: Container) -> bool:
    is_service = call.port < _PRIVILEGED or call.port in _SERVICES
    is_near = not ip_address(call.address).is_global
    return is_service or is_near or bool(where_named(call.address, container))
