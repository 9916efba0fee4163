"""Checks of the host's resolv.conf."""

from checks.dns.helpers import container_names
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.fallback import OnFallback, on_fallback, servers_of
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import (
    HOST_FILE,
    RESOLVED_FILE,
    ResolvConf,
    Resolvers,
    resolving_containers,
)
from diagnose.evidence.dns.stub_upstreams import StubUpstreams
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.routes import Routes
from diagnose.first_steps.dns.resolv_conf_steps import (
    file_remedies,
    only_link_local,
    server_for_containers,
)
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped, Unavailable
from diagnose.phrases import sentence
from diagnose.registry import check


@check("dns.loopback-stub", severity=Severity.critical)
def loopback_stub(
    resolvers: Resolvers,
    lookups: Lookups | None,
    containers: Containers | None,
    routes: Routes | None,
    upstreams: StubUpstreams | None,
) -> CheckResult:
    """The host's resolv.conf has only loopback servers, which containers cannot use.

    Engines then give containers 8.8.8.8. Harmless with systemd-resolved where its own file of real
    servers is there, with `dns` in the daemon's configuration, and on user-defined networks from
    engine 26 on, which ask the host's loopback from the host. It is critical where the fallback
    does not answer; advice where it does, since names of the company still fail.
    """
    if resolvers.host_unread:
        return resolvers.host_unread
    if isinstance(resolvers.host, Unavailable) or not resolvers.host_servers:
        return Skipped(f"{HOST_FILE} names no server")
    if resolvers.host.beyond_loopback or resolvers.engine_view or resolvers.configured:
        return None
    yield from resolvers.unread
    fallback = on_fallback(containers, resolvers, lookups)
    is_harmless = (
        containers is not None and any(resolving_containers(containers)) and not fallback.members
    )
    if not is_harmless:
        cure = server_for_containers(resolvers, routes, upstreams)
        yield _stub_finding(resolvers, fallback, upstreams, cure)


def _stub_finding(
    resolvers: Resolvers, fallback: OnFallback, upstreams: StubUpstreams | None, cure: PageVariables
) -> Finding:
    """The finding about a stub on the loopback address. fallback: the containers that have the
    engine's fallback in place of these servers."""
    upstream = upstreams.server if upstreams is not None else None
    stub_evidence = (
        {"server behind it, which answers": str(upstream)} if upstream is not None else {}
    )
    return Finding(
        subject=HOST,
        summary=(
            f"{HOST_FILE} names only {', '.join(resolvers.host_servers)}, "
            f"so {_replacement_clause(fallback, resolvers)}"
        ),
        evidence={
            f"{HOST_FILE} nameserver": list(resolvers.host_servers),
            RESOLVED_FILE: _nameservers_or_reason(resolvers.resolved),
            "dns of the daemon": list(resolvers.configured),
            **servers_of(fallback.members, resolvers),
            **stub_evidence,
        },
        variables={"server": resolvers.host_servers[0], **cure},
        severity=Severity.critical if fallback.lost else Severity.advice,
        touches=fallback.touches,
        signs=frozenset({"dns"}) if fallback.members else frozenset(),
    )


def _replacement_clause(fallback: OnFallback, resolvers: Resolvers) -> str:
    """The sentence about the server that containers ask in place of the host's own, and whether
    it answers."""
    servers = [
        upstream.server for member in fallback.members for upstream in resolvers.upstreams(member)
    ]
    if not servers:
        return "the next container gets 8.8.8.8 instead"
    replacement = f"{container_names(fallback.members)} got {servers[0]} instead"
    return sentence(replacement, f"{servers[0]} does not answer" if fallback.lost else "")


def _nameservers_or_reason(conf: ResolvConf | Unavailable) -> object:
    if isinstance(conf, ResolvConf):
        return list(conf.nameservers)
    return "no such file" if conf.reason == "missing" else str(conf)


@check("dns.no-nameserver", severity=Severity.critical)
def no_nameserver(
    resolvers: Resolvers,
    lookups: Lookups | None,
    containers: Containers | Unavailable,
    ping: Ping | None,
    routes: Routes | None,
) -> CheckResult:
    """The host's resolv.conf is missing, empty, or a link to nothing.

    Engines before 28 hide it by 8.8.8.8, newer ones do so on the default bridge only: it is
    critical where containers are left without an answer, else a warning. On a host without any
    default route it is advice: it may be an island on purpose. A file with only IPv6 servers gives
    none to a container whose network has no IPv6. The host itself resolves then, so it is advice
    where the fallback answers.
    """
    if resolvers.host_unread:
        return resolvers.host_unread
    if resolvers.configured or (resolvers.host_servers and not resolvers.only_ipv6):
        return None
    if resolvers.only_ipv6 and isinstance(containers, Unavailable):
        return containers
    yield from resolvers.unread
    listed_containers = None if isinstance(containers, Unavailable) else containers
    fallback = on_fallback(listed_containers, resolvers, lookups)
    is_island = lookups is not None and lookups.island
    if fallback.members or not resolvers.only_ipv6:
        yield _no_server_finding(
            resolvers, fallback, file_remedies(resolvers, ping, routes), is_island=is_island
        )


def _no_server_finding(
    resolvers: Resolvers, fallback: OnFallback, remedies: dict[str, str], *, is_island: bool
) -> Finding:
    without = [member for member in fallback.members if not resolvers.upstreams(member)]
    is_harmful = bool(without or fallback.lost)
    file = HOST_FILE if resolvers.engine_file is resolvers.host else RESOLVED_FILE
    return Finding(
        subject=HOST,
        summary=sentence(
            f"{file} {_defect_clause(resolvers)}",
            _consequence(fallback, without, is_island=is_island),
        ),
        evidence={
            file: _nameservers_or_reason(resolvers.engine_file),
            f"{HOST_FILE} is a link to": resolvers.dangling or None,
            "dns of the daemon": list(resolvers.configured),
            **servers_of(fallback.members, resolvers),
        },
        variables=remedies,
        severity=_severity(resolvers, is_harmful=is_harmful, is_island=is_island),
        touches=fallback.touches,
        signs=frozenset({"dns"}),
    )


def _severity(resolvers: Resolvers, *, is_harmful: bool, is_island: bool) -> Severity:
    if is_harmful and not is_island:
        return Severity.critical
    return Severity.advice if is_island or resolvers.only_ipv6 else Severity.warning


def _defect_clause(resolvers: Resolvers) -> str:
    """The defect of the file of servers, as the end of a sentence."""
    if only_link_local(resolvers):
        return (
            f"names only {', '.join(resolvers.engine_view)}, a link-local address "
            "that no container can reach"
        )
    if resolvers.only_ipv6:
        return (
            f"names only {', '.join(resolvers.engine_view)}, "
            "and networks without IPv6 get no IPv6 server"
        )
    if resolvers.dangling:
        return f"is a dangling link: its target {resolvers.dangling} does not exist"
    return "does not exist" if isinstance(resolvers.host, Unavailable) else "names no server"


def _consequence(fallback: OnFallback, without: list[Container], *, is_island: bool) -> str:
    if is_island:
        return "no default route leads out"
    if without:
        return f"{container_names(without)} can resolve only names of containers"
    if not fallback.members:
        return ""
    dead = ", and that server does not answer" if fallback.lost else ""
    return f"{container_names(fallback.members)} got 8.8.8.8 instead{dead}"
