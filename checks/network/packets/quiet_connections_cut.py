"""network.quiet-connections-cut: a proxy ends connections on which nothing is said for a while."""

from diagnose.evidence.network.proxies.cut_connections import AllCutConnections, CutConnections
from diagnose.first_steps.network.nginx_edits import nginx_edit
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.programs.nginx_settings import nginx_settings
from diagnose.registry import check

_PLAIN = LazyPattern(r"\w{1,12}")


@check(
    "network.quiet-connections-cut",
    severity=Severity.warning,
    aloud=("ends quiet connections", "end quiet connections"),
)
def quiet_connections_cut(all_cut_connections: AllCutConnections) -> CheckResult:
    """A proxy ends connections on which nothing is said for a while.

    Users of chats, consoles and message brokers are thrown out each minute, and come again. nginx
    ends a WebSocket when the server behind it has said nothing for 60 seconds
    (proxy_read_timeout), and HAProxy after `timeout client` or `timeout server`, where no `timeout
    tunnel` is set. HAProxy notes it in its log. In the access log of nginx it shows where the same
    client comes again each time after just that long. It counts from three connections within five
    minutes; of nginx it is advice where the client came again twice alone, or where the path is
    that of a console in a browser, which is silent while nobody types.
    """
    for cut in all_cut_connections:
        yield _finding(cut)


def _finding(cut: CutConnections) -> Finding:
    container = cut.container
    hop = cut.hop
    if hop is None:
        limit_clause = (
            "`timeout client` or `timeout server` holds for them, where no `timeout tunnel` is set"
        )
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
        variables=_variables(cut),
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


def _variables(cut: CutConnections) -> PageVariables:
    container = cut.container
    hop = cut.hop
    if hop is None:
        return {"balancer": container.name}
    if hop.read_timeout and cut.file is not None and _PLAIN.fullmatch(hop.read_timeout):
        longer = f"s|proxy_read_timeout  *{hop.read_timeout};|proxy_read_timeout 3600s;|"
        return {"proxy": container.name, **nginx_edit(hop, cut.file, longer)}
    if container.host_config.readonly_rootfs or hop.read_timeout:
        return {"proxy": container.name}
    settings = ("proxy_read_timeout 3600s", "proxy_send_timeout 3600s")
    return {"proxy": container.name, "patience": nginx_settings("zz-quiet.conf", *settings)}
