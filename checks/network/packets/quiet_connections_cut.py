"""network.quiet-connections-cut: a proxy ends connections on which nothing is said for a while."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.proxies.cut_connections import AllCutConnections, CutConnections
from diagnose.evidence.network.proxies.cut_sessions import AllCutSessions, CutSessions
from diagnose.evidence.network.proxies.haproxy_files import ImpatientFiles
from diagnose.first_steps.network.nginx_edits import nginx_edit
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.programs.nginx_settings import nginx_settings
from diagnose.registry import check

_PLAIN = LazyPattern(r"\w{1,12}")
_BALANCER_LIMITS = (
    "`timeout client` or `timeout server` holds for them, where no `timeout tunnel` is set"
)


@check(
    "network.quiet-connections-cut",
    severity=Severity.warning,
    causes=[
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.exits-at-start",
        "container.errors-in-log",
    ],
    aloud=("ends quiet connections", "end quiet connections"),
)
def quiet_connections_cut(
    all_cut_connections: AllCutConnections,
    all_cut_sessions: AllCutSessions | None,
    impatient_files: ImpatientFiles | None,
) -> CheckResult:
    """A proxy ends connections on which nothing is said for a while.

    Users of chats, consoles and message brokers are thrown out each minute, and come again. nginx
    ends a WebSocket when the server behind it has said nothing for 60 seconds
    (proxy_read_timeout), and HAProxy after `timeout client` or `timeout server`, where no `timeout
    tunnel` is set. HAProxy notes it in its log. In the access log of nginx it shows where the same
    client comes again each time after just that long. It counts from three connections within five
    minutes; of nginx it is advice where the client came again twice alone, or where the path is
    that of a console in a browser, which is silent while nobody types. A session to a database or a
    broker counts where its client is a container that ends with it, or complains of it: most
    programs connect again in silence. Where one ends, the finding is critical.
    """
    files = impatient_files or ImpatientFiles()
    for cut in all_cut_connections:
        yield _finding(cut, files)
    for sessions in all_cut_sessions or ():
        yield _sessions_finding(sessions, files)


def _sessions_finding(cut: CutSessions, files: ImpatientFiles) -> Finding:
    """The finding about sessions that HAProxy cut off, to the harm of one container."""
    harm = "which complains of it" if cut.complaint else "which ends with them"
    closed = count(cut.times, "session")
    return Finding.about(
        cut.proxy,
        sentence(
            f"{cut.proxy} has closed {closed} of {cut.client} to {cut.server} that had been silent "
            f"for {cut.seconds:.0f} s, {harm}",
            _BALANCER_LIMITS,
        ),
        present({"log": shortened(cut.line, 160), str(cut.client): cut.complaint or None}),
        severity=None if cut.complaint else Severity.critical,
        recheck=(cut.proxy.run,),
        touches=(cut.client.subject,),
        discriminator=cut.client.name,
        variables=_balancer_variables(cut.proxy, files),
    )


def _balancer_variables(proxy: Container, files: ImpatientFiles) -> PageVariables:
    path = files.of(proxy)
    return {"balancer": proxy.name, **present({"limits_file": path})}


def _finding(cut: CutConnections, files: ImpatientFiles) -> Finding:
    container = cut.container
    hop = cut.hop
    if hop is None:
        limit_clause = _BALANCER_LIMITS
    else:
        set_by = f"is {hop.read_timeout}" if hop.read_timeout else "is not set, which means 60s"
        limit_clause = f"proxy_read_timeout {set_by}"
    return Finding.about(
        container,
        sentence(_closing(cut), limit_clause),
        present(
            {
                "log": shortened(cut.line, 160),
                "where that is set": hop.directive if hop is not None else None,
            }
        ),
        severity=Severity.advice if cut.is_few or cut.is_console else None,
        recheck=(container.run,),
        variables=_variables(cut, files),
    )


def _closing(cut: CutConnections) -> str:
    """The clause about the closed connections, or about each one to a console."""
    path = shortened(cut.path, 60)
    if cut.is_console:
        return (
            f"{cut.container} closes a console at {path} that has been silent for {cut.seconds:.0f} s, "
            "as where nobody types"
        )
    return (
        f"{cut.container} has closed {count(cut.times, 'WebSocket')} that had been silent for "
        f"{cut.seconds:.0f} s ({path})"
    )


def _variables(cut: CutConnections, files: ImpatientFiles) -> PageVariables:
    container = cut.container
    hop = cut.hop
    if hop is None:
        return _balancer_variables(container, files)
    if hop.read_timeout and cut.file is not None and _PLAIN.fullmatch(hop.read_timeout):
        longer = f"s|proxy_read_timeout  *{hop.read_timeout};|proxy_read_timeout 3600s;|"
        return {"proxy": container.name, **nginx_edit(hop, cut.file, longer)}
    if container.host_config.readonly_rootfs or hop.read_timeout:
        return {"proxy": container.name}
    settings = ("proxy_read_timeout 3600s", "proxy_send_timeout 3600s")
    return {"proxy": container.name, "patience": nginx_settings("zz-quiet.conf", *settings)}
