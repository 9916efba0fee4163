"""network.requests-unanswered: clients wait for a program that does not read what they sent."""

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.nginx.slow_answers import SlowAnswers
from diagnose.evidence.network.sockets.full_queues import FullQueues
from diagnose.evidence.network.sockets.waiting_clients import WaitingAtPort, WaitingClients
from diagnose.model import CheckResult, Count, Finding, Seconds, Severity, Skipped
from diagnose.phrases import count, duration, joined
from diagnose.registry import check


@check(
    "network.requests-unanswered",
    severity=Severity.warning,
    caused_by=[
        "container.first-process-stopped",
        "container.paused",
        "kernel.hung-task",
        "logging.backpressure",
        "resources.cpu-throttled",
        "resources.io-saturated",
    ],
)
def requests_unanswered(
    namespaces: Namespaces,
    waiting_clients: WaitingClients,
    full_queues: FullQueues | None,
    slow_answers: SlowAnswers | None,
    clock: Clock,
    *,
    patience: Seconds = Seconds(10),
    least: Count = Count(3),
    settled: Seconds = Seconds(120),
) -> CheckResult:
    """A program in a container leaves requests of its clients without an answer.

    The kernel accepts connections for a program that listens, and keeps what clients send. A
    program that hangs, or whose workers are all busy, does not take it, and writes no line about
    it. A client counts if it waits for `patience`, and its request is not read, or it has closed
    its end and the program has not noticed. `least` such clients are a finding if nobody else is
    served meanwhile; of those whose connection is not even accepted two, or one that waits three
    times as long. A request that was read may be long work, and does not count. Many programs
    listen before they are ready: one that has accepted nothing yet has `settled` after its start.
    Where a proxy has given up some requests, and others are answered, the program is slow, which
    network.slow-answers-cut reports.
    """
    if not any(netns.listeners for netns in namespaces):
        return Skipped("no program in a running container listens")
    full = _ports_with_full_queue(full_queues)
    for waiting in waiting_clients:
        container = waiting.container
        is_ready = waiting.accepts or not clock.is_within(container.started_at, settled)
        if (container.id, waiting.port) in full or not is_ready:
            continue
        is_slow = slow_answers is not None and slow_answers.explains(container, waiting.port)
        if waiting.leaves_clients(patience, int(least)) and not is_slow:
            yield _finding(waiting, patience, len(waiting.queued(patience)))
    yield from waiting_clients.unexamined
    yield from namespaces.unvisited


def _ports_with_full_queue(full_queues: FullQueues | None) -> set[tuple[str, int]]:
    """Ports, with the container's id, that network.accept-queue-full reports."""
    return {(queue.container.id, queue.socket.port) for queue in full_queues or ()}


def _finding(waiting: WaitingAtPort, patience: float, queued: int) -> Finding:
    container = waiting.container
    clients = waiting.ignored(patience)
    unread = sum(client.unread > 0 for client in clients)
    given_up = sum(client.left for client in clients)
    longest = max(client.seconds for client in clients)
    if queued:
        reason = "the program does not accept connections"
    elif unread:
        reason = "the program does not read what they send"
    else:
        reason = "the program has read the requests, and the clients have given up"
    program = str(container)
    if waiting.sharers:
        others = [f'"{name}"' for name in waiting.sharers]
        program = f"{container}, or {joined(others, 'or')} in its network namespace,"
    finding = Finding.about(
        container,
        f"{program} leaves {count(len(clients), 'client')} at port {waiting.port} without an "
        f"answer, one for {duration(longest)}: {reason}",
        {
            "connections whose request is not read": unread,
            "connections that are not accepted": queued,
            "clients that have given up": given_up,
            "longest wait": duration(longest),
            "clients": ", ".join(sorted({client.peer for client in clients})[:5]),
        },
        discriminator=str(waiting.port),
        signs=frozenset({"timeout"}),
        recheck=(container.run,),
        variables={"port": str(waiting.port)},
    )
    return finding if waiting.sharers else finding.with_variables({"restarted": container.name})
