"""Routes and routing rules that reject packets on purpose, in the words of a trace. Pure."""

from diagnose.firewall.flow import Obstacle, Trace
from diagnose.firewall.verdict import Step
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_REJECTS = r"(?P<kind>blackhole|prohibit|unreachable)"
_ROUTE = LazyPattern(rf"route {_REJECTS} (?P<net>\S+)(?: table (?P<table>\d+))?")
_RULE = LazyPattern(rf"rule (?P<priority>\d+): .*\b{_REJECTS}")
_DEFAULT = "default"
"""The word of a trace for the route to everywhere, of either family."""


def refusal(traced: Trace) -> Step | None:
    """The route or the rule that certainly rejects a connection or its answer; None where none."""
    obstacle = traced.obstacle
    if obstacle is None or not traced.is_blocked or not is_refusal(obstacle):
        return None
    return obstacle.by


def is_refusal(obstacle: Obstacle) -> bool:
    """Whether an obstacle is a route or a rule that rejects, and no missing route."""
    return obstacle.reason == "route" and bool(_match(obstacle.by))


def without_refusal(step: Step, *, is_ipv6: bool = False) -> PageVariables:
    """The page variables that delete the route or the rule; empty for one that rejects all of IPv6.

    `ip` takes `default` for that of IPv4.
    """
    route = _ROUTE.fullmatch(step.rule)
    if route is not None and not (is_ipv6 and route["net"] == _DEFAULT):
        table = route["table"] or "main"
        return {"route_type": route["kind"], "blocked": route["net"], "route_table": table}
    rule = _RULE.fullmatch(step.rule)
    return {"rule_priority": rule["priority"]} if rule is not None and not is_ipv6 else {}


def in_words(step: Step) -> str:
    """The step as a sentence names it: `routing rule 100: from all ... of this host`."""
    kind = "routing " if step.rule.startswith("rule ") else ""
    return f"{kind}{step.rule} of this host"


def _match(step: Step) -> bool:
    return bool(_ROUTE.fullmatch(step.rule) or _RULE.fullmatch(step.rule))
