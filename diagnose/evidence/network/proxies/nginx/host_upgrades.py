"""Requests for WebSocket that fail behind the nginx of the host, by its log of requests."""

from collections.abc import Sequence

from diagnose.evidence.containers.logs.access_lines import AccessLine, access_lines
from diagnose.evidence.containers.logs.own_files.log_folder import BYTES
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.host_proxy_logs import dated_lines
from diagnose.evidence.network.proxies.nginx.configurations import runs_on_host
from diagnose.evidence.network.proxies.nginx.hops import NginxHop, hops_for_path
from diagnose.evidence.network.proxies.nginx.web_symptoms import (
    FRESH_S,
    LEAST,
    Symptom,
    refused_upgrades,
)
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile

_REQUESTS = ReadFile("/var/log/nginx/access.log", max_bytes=BYTES, tail=True)
"""The usual log of nginx packages, of all sites together."""
_OF_SOCKETS = frozenset({400, 426})
"""Answers of a program that expects WebSocket there."""


def refused_at_host(host: Host, processes: Processes, clock: Clock) -> list[AccessLine]:
    """The requests of one client for WebSocket at one place that were all refused lately.

    [] for too few. Scanners ask any site for such places, which answers 404 where it has none.
    The collector reads nothing where no nginx runs on the host.
    """
    if not runs_on_host(processes):
        return []
    file = host.ask(_REQUESTS)
    if isinstance(file, Failed):
        return []
    lines = (RecentLine(at, text) for at, text in dated_lines(file, FRESH_S))
    refused = [
        line for line in refused_upgrades(list(access_lines(lines))) if line.status in _OF_SOCKETS
    ]
    if not refused or not clock.is_within(refused[-1].at, FRESH_S):
        return []
    same_client = [line for line in refused if line.address == refused[-1].address]
    return same_client if len(same_client) >= LEAST else []


def host_upgrade_symptom(
    refused: Sequence[AccessLine], hops: Sequence[NginxHop]
) -> tuple[Symptom, NginxHop] | None:
    """The symptom of refused requests, and the only location of the host that takes them.

    The log does not say of which site a request was: None where several sites have that place.
    """
    last = refused[-1]
    path = last.path.partition("?")[0]
    hop = only(hops_for_path((hop for hop in hops if hop.proxy is None), path))
    if hop is None or hop.program is None:
        return None
    symptom = Symptom(
        "upgrade", hop.program, last.line, path, times=len(refused), status=last.status
    )
    return symptom, hop
