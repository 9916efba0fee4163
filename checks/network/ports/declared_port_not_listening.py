"""network.declared-port-not-listening: no program listens, and the log ends with an error."""

from diagnose.error_signatures import CALL_FAILED
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.unserved_ports import UnservedPorts
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Seconds, Severity
from diagnose.phrases import numbered, quoted, sentence, shortened
from diagnose.registry import check


@check(
    "network.declared-port-not-listening",
    severity=Severity.advice,
    aloud=("serves none of the ports it declares", "serve none of the ports they declare"),
)
def declared_port_not_listening(
    containers: Containers,
    namespaces: Namespaces,
    unserved: UnservedPorts,
    clock: Clock,
    *,
    grace: Seconds = Seconds(60),
) -> CheckResult:
    """A container declares ports and listens at none, and its log ends with an error.

    Its first process still runs: a supervisor, or a program that continues after a failure. Nothing
    is published, so that only its neighbours miss it. The error was written within ten minutes of
    the start, and hardly anything since. It is advice: a worker that is made of the image of a
    server listens nowhere either.
    """
    for container in containers.running:
        tail = unserved.declared.get(container.id)
        is_running = container.state.status == "running"
        if tail is not None and is_running and clock.has_passed(container.started_at, grace):
            yield _finding(container, tail)
    yield from unserved.declared_unread
    yield from namespaces.unvisited


def _finding(container: Container, tail: LogTail) -> Finding:
    ports = container.declared_tcp_ports
    line = tail.telling.whole if tail.telling is not None else tail.last
    failure = tail.failure
    cause = f"this means: {failure.cause}" if failure is not None else ""
    may_be_over = failure is None or not CALL_FAILED.isdisjoint(tail.signs)
    return Finding.about(
        container,
        sentence(
            f"{container} serves none of the ports it declares ({numbered('port', ports)}), and its "
            f"log ends with: {shortened(quoted(line))}",
            cause,
        ),
        present(
            {
                "log": line,
                "what fixes it": failure.cure if failure is not None else "",
                "Config.ExposedPorts": list(ports),
                "State.StartedAt": container.state.started_at,
            }
        ),
        signs=tail.signs,
        recheck=(container.run,),
        variables=present({"port": str(ports[0]), "again": container.name if may_be_over else ""}),
    )
