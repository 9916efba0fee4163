"""The head of a report: which host, which engine, when."""

import re
import shlex
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.engine.installed.packaging import SYSTEMD_FOLDER, packaging
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Failed, HostFacts, Json, Trait, Unavailable
from diagnose.model.findings import number_of
from diagnose.questions import Host
from diagnose.questions.endpoint import Endpoint, FindEndpoint
from diagnose.questions.file_answers import file_text, path_statuses
from diagnose.questions.files import NOT_ASKED
from diagnose.questions.run import IdentifyKernel, KernelIdentity
from diagnose.registry import evidence


class ReportHeader(msgspec.Struct, frozen=True):
    """The header of a report, before its findings."""

    head: HostFacts
    now: float
    """Unix time on the host."""
    docker: str
    """The command that reaches the examined engine."""
    notes: tuple[str, ...] = ()
    """Notes for the reader."""
    traits: frozenset[Trait] = frozenset({"systemd"})
    """The traits that decide which commands work on this host."""
    hint: str = ""
    """A step for the reader where there is no engine at all."""


@evidence
def report_header(
    host: Host,
    clock: Clock | Unavailable,
    ping: Ping | Unavailable,
    info: Info | Unavailable,
    containers: Containers | Unavailable,
    root: DataRoot | Unavailable,
    daemon: Daemon | Unavailable,
) -> ReportHeader:
    """The header of host and engine, also where one of them does not answer."""
    kernel = host.ask(IdentifyKernel())
    answer = host.ask(FindEndpoint())
    endpoint = Endpoint() if isinstance(answer, Failed) else answer
    described = info if isinstance(info, Info) else None
    known_containers = containers if isinstance(containers, Containers) else None
    head = _head(
        KernelIdentity("unknown") if isinstance(kernel, Failed) else kernel,
        _engine(ping, described or Info(), endpoint) if isinstance(ping, Ping) else None,
        described,
        known_containers,
        root.path if isinstance(root, DataRoot) else "",
    )
    if isinstance(ping, Unavailable) and ping.reason in ("budget", "timed out"):
        head = replace(head, is_engine_late=True)
    return ReportHeader(
        head,
        now=clock.wall if isinstance(clock, Clock) else 0.0,
        docker=docker_command(endpoint, is_podman=isinstance(ping, Ping) and ping.is_podman),
        notes=tuple(_notes(endpoint, known_containers)),
        traits=_traits(host, ping, info),
        hint=_hint(endpoint, daemon),
    )


def _engine(ping: Ping, info: Info, endpoint: Endpoint) -> dict[str, Json]:
    """The engine for the head of a report; None for unknown values."""
    return {
        "name": "Podman" if ping.is_podman else "Docker",
        "version": info.server_version or ping.libpod or ping.engine_version,
        "api_version": ping.api_version,
        "storage_driver": info.driver or None,
        "firewall": info.firewall_driver if info.id else None,
        "cgroup_driver": info.cgroup_driver or None,
        "endpoint": endpoint.url,
    }


def _head(
    kernel: KernelIdentity,
    engine: dict[str, Json] | None,
    info: Info | None,
    known_containers: Containers | None,
    data_root: str,
) -> HostFacts:
    """The head: the engine's own description, else our own counts."""
    if info is not None:
        return HostFacts(
            name=info.name or kernel.nodename,
            kernel=info.kernel_version or kernel.release,
            engine=engine,
            containers=info.containers,
            running=_number_running(info, known_containers),
            data_root=info.docker_root_dir or (data_root if known_containers is not None else ""),
        )
    facts = HostFacts(name=kernel.nodename, kernel=kernel.release, engine=engine)
    if known_containers is None:
        return facts
    return replace(
        facts,
        containers=len(known_containers) + number_of(known_containers.unexamined),
        running=None if known_containers.unexamined else len(known_containers.running),
        data_root=data_root,
    )


def _number_running(info: Info, known_containers: Containers | None) -> int:
    """The number of running containers among the inspected ones.

    The engine's own count is wrong after it was killed: engine 28.5 then counts those that it found
    dead.
    """
    is_complete = known_containers is not None and not known_containers.unexamined
    if known_containers is not None and is_complete:
        return len(known_containers.running)
    return info.containers_running


def _hint(endpoint: Endpoint, daemon: Daemon | Unavailable) -> str:
    """A next step for a reader whose report has no engine; "" where a finding has one."""
    if not isinstance(daemon, Daemon) or daemon.answers or not endpoint.url:
        return ""
    if endpoint.named:
        return _hint_about_address(endpoint) if _is_wrong_address(daemon) else ""
    if daemon.installation.installed is not False:
        return ""
    if daemon.installation.has_podman:
        return (
            "Podman is installed here, and no Docker. To examine Podman's containers: "
            "`systemctl start podman.socket`, then `diagnose all`"
        )
    return "no engine to look at here? `diagnose all --from demo` judges a recorded broken host"


def _is_wrong_address(daemon: Daemon) -> bool:
    """Whether nothing takes connections at the address that the user named, and no finding says so.

    A remote host that is down does not answer in time.
    """
    is_remote_silence = daemon.reason == "timed out" and not daemon.same_host
    return not daemon.is_down and (daemon.is_unreachable or is_remote_silence)


def _hint_about_address(endpoint: Endpoint) -> str:
    if endpoint.source == "-H":
        return "no engine answers there. Without -H, `diagnose all` examines this host's own engine"
    return (
        f"no engine answers there. If {endpoint.source} is wrong, examine this host's own engine: "
        "`diagnose all -H unix:///var/run/docker.sock`"
    )


def _notes(endpoint: Endpoint, known_containers: Containers | None) -> Iterator[str]:
    if known_containers is not None and known_containers.source == "disk":
        yield (
            "the engine did not answer: "
            f"containers read from {known_containers.root}/containers, alive by their processes"
        )
    if endpoint.named:
        yield f"engine at {endpoint.url}, from {endpoint.source}"


_WITHOUT_SYSTEMD = ("openrc", "slackware", "qnap")
"""Kinds of hosts whose own init system starts the engine."""


def _traits(host: Host, ping: Ping | Unavailable, info: Info | Unavailable) -> frozenset[Trait]:
    """The traits of the host, which decide which blocks of a page are for this host."""
    has_systemd = _has_systemd(host)
    holds: dict[Trait, bool] = {
        "systemd": has_systemd,
        "podman": isinstance(ping, Ping) and ping.is_podman,
        "rootless": isinstance(info, Info) and info.is_rootless,
        "nftables": isinstance(info, Info) and info.firewall_driver == "nftables",
        "rpm": _has_rpm(host),
    }
    kind = packaging(host).trait
    if kind is not None:
        holds[kind] = not (has_systemd and kind in _WITHOUT_SYSTEMD)
    return frozenset(trait for trait, is_so in holds.items() if is_so)


def _has_systemd(host: Host) -> bool:
    """Whether the host has systemd; True where nobody could look, as on most hosts."""
    statuses = path_statuses(host, [SYSTEMD_FOLDER])
    return statuses.get(SYSTEMD_FOLDER, NOT_ASKED).failed != "missing"


_RPM = re.compile(r"""^ID(?:_LIKE)?=.*\b(?:rhel|fedora|centos)\b""", re.MULTILINE)


def _has_rpm(host: Host) -> bool:
    """Whether os-release(5) names the RHEL family."""
    text = file_text(host, "/etc/os-release")
    return _RPM.search(text) is not None


def docker_command(endpoint: Endpoint, *, is_podman: bool) -> str:
    """The command line that reaches the examined engine, as a runbook's `{docker}` is filled."""
    if is_podman:
        return "podman"
    if endpoint.context:
        return f"docker --context {shlex.quote(endpoint.context)}"
    if endpoint.named and endpoint.url:
        return f"docker -H {shlex.quote(endpoint.url)}"
    return "docker"
