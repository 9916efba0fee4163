"""Calls that a container's log calls refused, with the place that its line or its settings name."""

from collections.abc import Iterable, Iterator

from diagnose.evidence.network.addresses import is_address, is_loopback
from diagnose.evidence.network.calls.awaited_calls import AwaitedCall
from diagnose.evidence.network.calls.logged_failures import LoggedFailure
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions.sockets import WaitingCall

_PORT_IN_LINE = LazyPattern(r"\bport[=: ]{1,2}(?P<port>\d{1,5})\b")
"""port=443, as Python's libraries write it."""
_URL = LazyPattern(
    r"(?P<scheme>[\w+.:-]{1,40})://(?:[^/]{0,300}@)?(?P<host>[^/:@]{1,253})(?::(?P<port>[^/]{0,300}))?(?:/|$)"
)
"""https://shop:secret@192.0.2.9:8443/api"""
_PORTS = {"https": 443, "http": 80}
_KINDS = ("refused", "unreachable")
"""What a rule with REJECT makes of a call: by its own choice of ICMP, or of a reset."""


def refused_calls(failures: Iterable[LoggedFailure]) -> Iterator[AwaitedCall]:
    """The calls of other machines that are refused again and again."""
    for failure in failures:
        is_elsewhere = is_address(failure.host) and not is_loopback(failure.host)
        port = _port(failure) if is_elsewhere and failure.kind in _KINDS else 0
        if port:
            waiting = WaitingCall(failure.host, port, failure.times)
            yield AwaitedCall(failure.container, waiting)


def _port(failure: LoggedFailure) -> int:
    """The port that the line names, or a URL in the container's variables; 0 for none."""
    if failure.port:
        return failure.port
    port_in_line = _PORT_IN_LINE.search(failure.line)
    if port_in_line is not None:
        return int(port_in_line["port"])
    for _, value in failure.container.config.environment:
        url = _URL.match(value)
        if url is not None and url["host"] == failure.host:
            port = url["port"] or ""
            return int(port) if port.isdigit() else _PORTS.get(url["scheme"], 0)
    return 0
