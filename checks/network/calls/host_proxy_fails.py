"""network.host-proxy-fails: a web server of the host cannot pass requests on to a container."""

from __future__ import annotations

import functools

from diagnose.error_signatures import signs
from diagnose.evidence.network.proxies.host_proxies import HostProxyFailure, HostProxyFailures
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import count, sentence, shortened
from diagnose.programs.failures import FAILURES, Failure, Recognised, recognise
from diagnose.programs.failures.remedies import Inside
from diagnose.programs.log_message import message
from diagnose.registry import check

_USUAL = "/etc/nginx/conf.d/"


@check(
    "network.host-proxy-fails",
    severity=Severity.warning,
    caused_by=(
        "container.crashed",
        "container.exits-at-start",
        "container.paused",
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.start-refused",
        "firewall.output-dropped",
        "network.published-port-not-listening",
    ),
    observed=True,
)
def host_proxy_fails(host_proxy_failures: HostProxyFailures) -> CheckResult:
    """A web server of this host cannot pass requests on to a container.

    nginx, Apache, Caddy, HAProxy or Traefik runs on the host itself, in front of published ports,
    and its clients get 502, 503 or 504. Nothing in the container shows that: the server's own log,
    a file or its unit's journal, says why. It counts where three requests failed within five
    minutes, the last one within a minute, and the place that was called belongs to a container.
    Where it refuses and nobody publishes the port, the one container that serves it in its own
    network may be meant. Websockets that end idle do not count, nor does an error page that the
    container itself has sent.
    """
    if not host_proxy_failures.programs:
        return Skipped("no web server or proxy runs on this host itself")
    for failure in host_proxy_failures:
        yield _finding(failure)
    return None


@functools.cache
def _about_upstreams() -> tuple[Failure, ...]:
    """What is known of nginx; other rows are about the program that prints a line."""
    return tuple(row for row in FAILURES if row.name.startswith("nginx"))


def _finding(item: HostProxyFailure) -> Finding:
    failure = recognise(item.lines, None, _about_upstreams(), has_ended=False)
    line = item.lines[-1]
    times = count(len(item.lines), "time")
    if not item.is_published:
        why = f"no container publishes that port, and {item.container} serves it inside"
    elif not item.container.is_running:
        why = "it does not run"
    elif failure is not None:
        why = failure.cause
    else:
        why = shortened(message(line).text, 160)
    whom = f" of {item.container}" if item.is_published else ""
    return Finding.about(
        item.container,
        sentence(
            f"{item.program} on this host cannot pass requests on to {item.place}{whom} "
            f"({times} lately)",
            why,
        ),
        {
            item.log.name: message(line).text,
            **({"what fixes it": failure.cure} if failure is not None else {}),
        },
        discriminator=f"{item.program} {item.place}",
        signs=signs(line),
        stable=(item.container.life,),
    ).with_variables(_variables(item, failure))


def _variables(item: HostProxyFailure, failure: Recognised | None) -> PageVariables:
    """The variables of the first command, by what keeps the proxy from its server."""
    remedy = failure.remedy if failure is not None else None
    if not item.is_published:
        return {"unpublished": item.container.name, "publish": f"127.0.0.1:{item.port}:{item.port}"}
    if not item.container.is_running:
        return {"stopped": item.container.name}
    if isinstance(remedy, Inside) and item.program == "nginx":
        command = remedy.command.replace(_USUAL, item.drop_in or _USUAL)
        return {"on_host": command}
    if not item.log.path:
        return {"upstream": item.place, "unit": f"{item.program}.service"}
    place = item.log.mark or item.place
    return {"upstream": item.place, "log": item.log.path, "place": place}
