"""network.page-unanswered: a web server takes a request for its first page, and does not answer."""

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages
from diagnose.evidence.network.sockets.full_queues import FullQueues
from diagnose.evidence.network.sockets.waiting_clients import WaitingClients
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Seconds, Severity, Skipped
from diagnose.phrases import count
from diagnose.registry import check

_PATIENCE_S = 10.0
_LEAST = 3
"""The time and the number from which `network.requests-unanswered` has a finding about the port."""
_COMPUTES = 0.5
"""The number of processors that a program keeps busy while it works at the page."""


@check(
    "network.page-unanswered",
    severity=Severity.warning,
    caused_by=[
        "container.database-refused",
        "container.first-process-stopped",
        "container.loopback-peer",
        "container.paused",
        "kernel.hung-task",
        "logging.backpressure",
        "network.calls-failing",
        "network.call-unanswered",
        "resources.cpu-throttled",
        "resources.io-saturated",
    ],
    aloud=("does not answer a request for its first page", "do not answer requests for a page"),
)
def page_unanswered(
    front_pages: FrontPages,
    waiting_clients: WaitingClients | None,
    full_queues: FullQueues | None,
    clock: Clock,
    *,
    settled: Seconds = Seconds(120),
) -> CheckResult:
    """A web server takes a request for its first page, and does not answer it.

    Its container runs and its port is open, and a client waits without an answer. One GET for `/`
    is sent from inside the container's network to where the program listens, as a visitor of the
    page sends it, and five seconds are waited. It counts from `settled` after the program's start,
    and where the program does not serve other clients of the port meanwhile. A program that reads
    the request and is silent may speak another protocol than HTTP: it counts where it is a web
    server, or is written in a language of web programs and listens at a usual port. It is advice
    where the program computes all the time, as for a first page that it has to build.
    """
    if not front_pages and not front_pages.unexamined:
        return Skipped("no web server in a running container is published or behind a proxy")
    known_ports = _ports_of_others(waiting_clients, full_queues)
    for page in front_pages:
        is_ready = clock.has_passed(page.container.started_at, settled)
        is_known = (page.container.id, page.http_port.port) in known_ports
        if not page.is_silent or is_known:
            continue
        if is_ready and _is_meant(page):
            yield _finding(page)
    yield from front_pages.unexamined


def _ports_of_others(
    waiting_clients: WaitingClients | None, full_queues: FullQueues | None
) -> set[tuple[str, int]]:
    """Ports, with the container's id, whose clients have a finding already."""
    full = {(queue.container.id, queue.socket.port) for queue in full_queues or ()}
    waiting = {
        (waiting.container.id, waiting.port)
        for waiting in waiting_clients or ()
        if waiting.leaves_clients(_PATIENCE_S, _LEAST)
    }
    return full | waiting


def _is_meant(page: FrontPage) -> bool:
    """Whether the silence is a fault: no other client is served, and HTTP is spoken there."""
    reply = page.reply
    serves_others = reply.quiet_s is not None and reply.quiet_s < reply.ms / 1000
    if reply.redirects:
        return not serves_others
    return not serves_others and (bool(reply.unread) or page.http_port.is_surely_http)


def _finding(page: FrontPage) -> Finding:
    container = page.container
    reply = page.reply
    seconds = round(reply.ms / 1000)
    computes = page.cpus is not None and page.cpus >= _COMPUTES
    if reply.unread:
        reason = "the program does not read what comes"
    elif computes:
        reason = "the program is busy computing, and may still be building the page"
    else:
        reason = "the program has read the request, and is waiting for something"
    return Finding.about(
        container,
        f"{container} does not answer a request for {reply.path} at port {page.http_port.port} within "
        f"{count(seconds, 'second')}: {reason}",
        present(
            {
                "GET": page.url,
                "bytes of the request that are not read": reply.unread or None,
                "CPUs that it uses": None if page.cpus is None else round(page.cpus, 1),
            }
        ),
        severity=Severity.advice if computes else None,
        discriminator=str(page.http_port.port),
        signs=frozenset({"timeout"}),
        recheck=(container.run,),
        variables={"port": str(page.http_port.port), "url": page.url, "restarted": container.name},
    )
