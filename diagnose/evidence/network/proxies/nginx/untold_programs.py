"""Programs that a proxy does not tell how its clients came: for WebSocket, or by HTTPS.

The access logs show what users meet, and nginx's configuration why.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.access_lines import caller_of
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.configurations import HopFile, NginxConfigurations
from diagnose.evidence.network.proxies.nginx.hops import (
    NginxHop,
    ends_tls_for_clients,
    hops_for_path,
)
from diagnose.evidence.network.proxies.nginx.host_upgrades import (
    host_upgrade_symptom,
    refused_at_host,
)
from diagnose.evidence.network.proxies.nginx.web_symptoms import Kind, Symptom, symptoms
from diagnose.questions import Host
from diagnose.registry import evidence


class UntoldProgram(msgspec.Struct, frozen=True):
    """A program that does not learn its clients' scheme, host or upgrade, by its users' symptoms.

    The location of an nginx before it forwards requests without these headers.
    """

    symptom: Symptom
    hop: NginxHop
    file: HopFile


class UntoldPrograms(Items[UntoldProgram], frozen=True):
    """The uninformed programs, at most one for each kind of symptom and location."""

    forgotten_logins: tuple[Symptom, ...] = ()
    """Logins that the next request does not know, where no nginx is the cause."""


@evidence
def untold_programs(
    host: Host, containers: Containers, recent_logs: RecentLogs, clock: Clock, processes: Processes
) -> UntoldPrograms:
    """The programs that do not learn their clients' scheme, host or upgrade.

    A configuration is read only where a log shows such a symptom.
    """
    shown = [
        symptom
        for container in containers.running
        for symptom in symptoms(container, recent_logs, clock)
    ]
    programs: dict[tuple[str, str, str], UntoldProgram] = {}
    refused = refused_at_host(host, processes, clock)
    if refused:
        nginx = NginxConfigurations(host, containers, processes)
        at_host = host_upgrade_symptom(refused, nginx.hops)
        if at_host is not None and _denies_upgrade(*at_host):
            hop = at_host[1]
            place = ("upgrade", hop.label, hop.directive)
            programs[place] = UntoldProgram(*at_host, nginx.file_of(hop))
    forgotten: list[Symptom] = []
    for symptom, program in causes_of(host, shown, containers, recent_logs, processes):
        if program is None and symptom.kind == "login":
            forgotten.append(symptom)
        elif program is not None:
            programs.setdefault((symptom.kind, program.hop.label, program.hop.directive), program)
    return UntoldPrograms(tuple(programs.values()), tuple(forgotten))


def causes_of(
    host: Host,
    shown: Sequence[Symptom],
    containers: Containers,
    recent_logs: RecentLogs,
    processes: Processes,
) -> Iterator[tuple[Symptom, UntoldProgram | None]]:
    """Each symptom with the location of an nginx that is its cause, None where none is known.

    No configuration is read where there is no symptom.
    """
    if not shown:
        return
    nginx = NginxConfigurations(host, containers, processes)
    for symptom in shown:
        hop = _cause(symptom, nginx.hops, containers, recent_logs)
        program = UntoldProgram(symptom, hop, nginx.file_of(hop)) if hop is not None else None
        yield symptom, program


def _cause(
    symptom: Symptom, known_hops: Sequence[NginxHop], containers: Containers, logs: RecentLogs
) -> NginxHop | None:
    """The location that is the cause: of those on the way to the program, the first one."""
    way = list(_hops_on_the_way(symptom, known_hops))
    is_cause = _IS_CAUSE.get(symptom.kind)
    if is_cause is not None:
        return next((hop for hop in way if is_cause(symptom, hop)), None)
    for hop in way:
        if hop.ends_tls and not hop.tells_of_https:
            return hop
        if hop.overwrites_https and _comes_by_https(symptom, hop, known_hops, containers, logs):
            return hop
    return None


def _denies_upgrade(symptom: Symptom, hop: NginxHop) -> bool:
    """Whether WebSocket cannot pass: HTTP/1.0 does not have it, and servers report that."""
    is_of_version = symptom.status in _OF_VERSION and hop.speaks_http_1_0
    return is_of_version or not hop.passes_upgrades_on


_OF_VERSION = frozenset({400, 426})
_IS_CAUSE: Mapping[Kind, Callable[[Symptom, NginxHop], bool]] = {
    "upgrade": _denies_upgrade,
    "version": lambda _, hop: hop.speaks_http_1_0,
    "signature": lambda _, hop: hop.replaces_host,
    "misdirected": lambda _, hop: bool(hop.own_name),
}
"""Whether a location explains a symptom by itself."""


def _hops_on_the_way(symptom: Symptom, known_hops: Sequence[NginxHop]) -> Iterator[NginxHop]:
    """The locations by which the request went, from the program outwards.

    Of several with the same server the one with the longest path counts, as for nginx.
    """
    ends = {symptom.container.id}
    passed_ids: set[str] = set()
    while ends - passed_ids:
        end = (ends - passed_ids).pop()
        passed_ids.add(end)
        of_end = [hop for hop in known_hops if hop.program is not None and hop.program.id == end]
        if end == symptom.container.id:
            of_end += [hop for hop in known_hops if hop.proxy is not None and hop.proxy.id == end]
        for hop in _hops_for_path(of_end, symptom.path):
            yield hop
            if hop.proxy is not None:
                ends.add(hop.proxy.id)


def _hops_for_path(of_end: Sequence[NginxHop], path: str) -> Sequence[NginxHop]:
    """Of the locations of each nginx those that take this path; all of them where none does."""
    return hops_for_path(of_end, path) or of_end


def _comes_by_https(
    symptom: Symptom,
    hop: NginxHop,
    known_hops: Sequence[NginxHop],
    containers: Containers,
    logs: RecentLogs,
) -> bool:
    """Whether clients of an nginx that uses plain HTTP come by HTTPS to a proxy before it."""
    proxy = hop.proxy
    if symptom.origin or proxy is None:
        return bool(symptom.origin)
    if any(before.ends_tls and before.leads_to(proxy) for before in known_hops):
        return True
    callers = (caller_of(line, proxy, containers) for line in logs.requests_of(proxy))
    return any(caller is not None and ends_tls_for_clients(caller) for caller in callers)
