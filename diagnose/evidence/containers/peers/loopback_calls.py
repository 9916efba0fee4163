"""Refused calls of a container to its own localhost: by its log or the kernel's counters.

The counters are used with its settings.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.access_lines import access_lines
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.peers.loopback_targets import LoopbackTarget, LoopbackTargets
from diagnose.evidence.containers.peers.variable_calls import VariableCall
from diagnose.evidence.network.addresses import ANY
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, only, present
from diagnose.programs.failures import Recognised, recognise
from diagnose.programs.failures.network.neighbours import NEIGHBOURS

ID = "container.loopback-peer"
LOOPBACK = tuple(row for row in NEIGHBOURS if row.confirmed_by == ID)
"""Errors of programs that localhost refused."""
REFUSED = 3
"""Minimum number of refused calls that count: a program that begins before its neighbour tries once
or twice."""
_PLACE = LazyPattern(
    r"(?<![\w.-])(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1\]?)\)?:(?P<port>\d{2,5})(?![\d.])"
)
"""A place at localhost; a call to 0.0.0.0 leads there too."""


class LoopbackCall(msgspec.Struct, frozen=True):
    """A call to a port of localhost that was refused, and the line that reports it."""

    container: Container
    port: str
    line: str
    signs: frozenset[str]
    target: LoopbackTarget | None = None
    """The settings that name the port, where no line does."""
    variable: str = ""
    """The variable of its environment that names the port, where no line does."""

    @property
    def evidence(self) -> dict[str, object]:
        """The evidence of the call: log line, variable, settings file, refused calls."""
        rows: dict[str, object] = {"log": self.line} if self.line else {}
        if self.variable:
            rows["Config.Env"] = f"{self.variable} names localhost, port {self.port}"
        if self.target is None:
            return rows
        counted = {"calls refused inside, since it was started": self.target.refused or None}
        return {
            **rows,
            "settings": f"{self.target.path} names {self.target.place}{self._port_beside}",
            **present(counted),
        }

    @property
    def because(self) -> str:
        """The source of a place that the log does not name, as the end of a sentence."""
        if self.variable:
            return f"; its variable {self.variable} says so"
        return f"; {self.target.path} says so" if self.target is not None and self.line else ""

    @property
    def _port_beside(self) -> str:
        """The port, where another variable or key has it."""
        is_beside = self.target is not None and self.target.has_port_beside
        return f", port {self.port}" if is_beside else ""


def by_variable(variable_call: VariableCall) -> LoopbackCall:
    """The call that a variable names, and no line."""
    port = str(variable_call.place.port)
    variable = variable_call.place.variable
    return LoopbackCall(
        variable_call.container,
        port,
        variable_call.line,
        signs(variable_call.line),
        variable=variable,
    )


def with_target(call: LoopbackCall, targets: LoopbackTargets | None) -> LoopbackCall:
    """The call, with the one place of a mounted file that names its port."""
    own = [
        target
        for target in targets or ()
        if target.container.id == call.container.id and str(target.port) == call.port
    ]
    return msgspec.structs.replace(call, target=only(own))


def logged_target(
    targets: LoopbackTargets | None, container: Container, port: str
) -> LoopbackTarget | None:
    """The mounted file that names the place that the log names; or None."""
    return targets.logged_by(container, port) if targets is not None else None


def repeated_call(
    container: Container, lines: Sequence[RecentLine], namespaces: Namespaces | None, least: int
) -> LoopbackCall | None:
    """The call of a container that keeps running, by the last of its lines about that."""
    failures = (recognise((line.text,), None, LOOPBACK, has_ended=False) for line in lines)
    calls = [(port_of(failure), failure.line) for failure in failures if failure is not None]
    netns = namespaces.of(container) if namespaces is not None else None
    if not calls or (netns is None and not container.shares_host_network):
        return None
    port, line = calls[-1]
    is_repeated = [called_port for called_port, _ in calls].count(port) >= least
    if not port or not is_repeated:
        return None
    is_served = netns is not None and bool(netns.sockets("tcp", int(port)))
    if is_served:
        return None
    return LoopbackCall(container, port, line, signs(line))


def is_refused_inside(container: Container, losses: NetworkLosses | None) -> bool:
    """Whether the kernel has counted refused calls in the container's own network."""
    return losses is not None and losses.refused_inside.get(container.id, 0) >= REFUSED


def named_call(
    container: Container, lines: Sequence[RecentLine], namespaces: Namespaces | None, least: int
) -> LoopbackCall | None:
    """The port of localhost that its lines name most often, where nothing listens.

    The localhost of a line about an answered request is that of a browser: the page before it. A
    server says of 0.0.0.0 that it listens there: such a line counts only where it was refused.
    """
    netns = namespaces.of(container) if namespaces is not None else None
    answered = {line.line for line in access_lines(lines)}
    failed_lines = [line.text for line in lines if line.text not in answered]
    places_in_texts = [
        (match["port"], text)
        for text in failed_lines
        for match in _PLACE.finditer(text)
        if not match[0].startswith(ANY) or "refused" in signs(text)
    ]
    times = Counter(port for port, _ in places_in_texts)
    if netns is None or not times:
        return None
    port, count = times.most_common(1)[0]
    if count < least or netns.sockets("tcp", int(port)):
        return None
    line = next(text for number, text in reversed(places_in_texts) if number == port)
    return LoopbackCall(container, port, line, frozenset({"refused"}))


def port_of(failure: Recognised) -> str:
    """The port of localhost: of the line, or of the server whose socket file is not there."""
    return failure.values.get("port") or first_of(failure.needs, "")
