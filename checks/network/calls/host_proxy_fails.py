"""network.host-proxy-fails: a web server of the host cannot pass requests on to a container."""

import functools

from diagnose.error_signatures import signs
from diagnose.evidence.network.proxies.host_proxies import HostProxyFailure, HostProxyFailures
from diagnose.first_steps.network.host_proxy_steps import host_proxy_steps, is_chosen_limit
from diagnose.model import HOST, CheckResult, Finding, Json, Severity, Skipped
from diagnose.phrases import count, sentence, shortened
from diagnose.programs.failures import FAILURES, Failure, Recognised, recognise
from diagnose.programs.log_message import message
from diagnose.registry import check


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
    a file or its unit's journal, says why.

    It counts where three requests failed within five minutes, the last one within a minute, and the
    place that was called belongs to a container, or nobody listens there. Where it refuses and
    nobody publishes the port, the one container that serves it in its own network may be meant, or
    the one whose port of the host the engine chooses again at each start. Websockets that end idle
    do not count, nor does an error page that the container itself has sent.

    Requests that nginx itself refuses, such as an upload that is too large, count where the site
    passes requests on to a container, and three were refused in half an hour. It is advice where
    somebody has set a limit there.
    """
    if not host_proxy_failures.programs:
        return Skipped("no web server or proxy runs on this host itself")
    for failure in host_proxy_failures:
        yield _finding(failure)


@functools.cache
def _about_upstreams() -> tuple[Failure, ...]:
    """The known failures of nginx; other rows are about the program that prints a line."""
    return tuple(row for row in FAILURES if row.name.startswith("nginx"))


def _finding(failure: HostProxyFailure) -> Finding:
    known_failure = recognise(failure.lines, None, _about_upstreams(), has_ended=False)
    container = failure.container
    line = failure.lines[-1]
    owner_clause = f" of {container}" if failure.is_published else ""
    failure_clause = "refuses requests for" if failure.refusing else "cannot pass requests on to"
    summary = sentence(
        f"{failure.program} on this host {failure_clause} {failure.place}{owner_clause} "
        f"({count(len(failure.lines), 'time')} recently)",
        _reason(failure, known_failure),
    )
    evidence: dict[str, Json] = {failure.log.name: message(line).text}
    if known_failure is not None:
        evidence["what fixes it"] = known_failure.cure
    discriminator = f"{failure.program} {failure.place}"
    if container is None:
        return Finding(
            subject=HOST,
            summary=summary,
            evidence=evidence,
            discriminator=discriminator,
            variables={"nobody": str(failure.port)},
        )
    return Finding.about(
        container,
        summary,
        evidence,
        severity=Severity.advice if is_chosen_limit(failure, known_failure) else None,
        discriminator=discriminator,
        signs=signs(line),
        recheck=(container.run,),
        variables=host_proxy_steps(failure, container, known_failure),
    )


def _reason(failure: HostProxyFailure, known_failure: Recognised | None) -> str:
    """The reason why the proxy does not reach its server."""
    container = failure.container
    if container is None:
        return "nothing listens there, and no container publishes that port"
    if failure.moved is not None:
        return (
            f"nothing listens there, and {container} is published at port "
            f"{failure.moved.host_port}, which the engine chose for this start only"
        )
    if not failure.is_published:
        return f"no container publishes that port, and {container} serves it inside"
    if not container.is_running:
        return "it is not running"
    if known_failure is not None:
        return known_failure.cause
    return shortened(message(failure.lines[-1]).text, 160)
