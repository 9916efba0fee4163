"""The head of a report: which host, which engine, when."""

from __future__ import annotations

import shlex

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Failed, HostFacts, Trait, Unavailable
from diagnose.questions import Host
from diagnose.questions.engine import Endpoint, FindEndpoint
from diagnose.questions.files import StatPaths
from diagnose.questions.run import IdentifyKernel, KernelIdentity
from diagnose.registry import evidence


class ReportHeader(msgspec.Struct, frozen=True):
    """now: Unix time on the host. docker: the command that reaches the examined engine.

    notes: what a reader must know. traits: what decides which commands work on this host.
    """

    head: HostFacts
    now: float
    docker: str
    notes: tuple[str, ...] = ()
    traits: frozenset[Trait] = frozenset({"systemd"})


@evidence
def facts(
    host: Host,
    clock: Clock | Unavailable,
    ping: Ping | Unavailable,
    info: Info | Unavailable,
    containers: Containers | Unavailable,
    root: DataRoot | Unavailable,
) -> ReportHeader:
    """What can be said about host and engine, also when one of them is silent."""
    kernel = host.ask(IdentifyKernel())
    here = KernelIdentity("unknown") if isinstance(kernel, Failed) else kernel
    found = host.ask(FindEndpoint())
    endpoint = Endpoint() if isinstance(found, Failed) else found
    known = info if isinstance(info, Info) else Info()
    engine = None
    if isinstance(ping, Ping):
        engine = {
            "name": "Podman" if ping.is_podman else "Docker",
            "version": known.server_version or ping.libpod or ping.engine_version,
            "api_version": ping.api_version,
            "storage_driver": known.driver or None,
            "firewall": known.firewall_driver if known.id else None,
            "cgroup_driver": known.cgroup_driver or None,
            "endpoint": endpoint.url,
        }
    listed = containers if isinstance(containers, Containers) else None
    head = HostFacts(
        name=known.name or here.nodename,
        kernel=known.kernel_version or here.release,
        engine=engine,
        containers=info.containers if isinstance(info, Info) else len(listed) if listed is not None else None,
        running=info.containers_running
        if isinstance(info, Info)
        else len(listed.running)
        if listed is not None
        else None,
        data_root=known.docker_root_dir or (root.path if listed is not None and isinstance(root, DataRoot) else ""),
    )
    notes = []
    if listed is not None and listed.source == "disk":
        notes.append(
            f"the engine did not answer: containers read from {listed.root}/containers, alive by their processes"
        )
    if (
        isinstance(ping, Unavailable)
        and ping.reason == "missing"
        and listed is None
        and endpoint.url
        and not endpoint.named
    ):
        notes.append("no engine to look at here? `diagnose all --from demo` judges a recorded broken host")
    if endpoint.named:
        notes.append(f"engine at {endpoint.url}, from {endpoint.source}")
    return ReportHeader(
        head,
        clock.wall if isinstance(clock, Clock) else 0.0,
        _docker(endpoint, isinstance(ping, Ping) and ping.is_podman),
        tuple(notes),
        _traits(host, ping, info),
    )


SYSTEMD_FOLDER = "/run/systemd/system"
"""Exists exactly where systemd is the init system (sd_booted(3))."""


def _traits(host: Host, ping: Ping | Unavailable, info: Info | Unavailable) -> frozenset[Trait]:
    """Where nobody could look, systemd is assumed: most hosts have it."""
    traits: set[Trait] = set()
    statuses = host.ask(StatPaths([SYSTEMD_FOLDER]))
    folder = None if isinstance(statuses, Failed) else statuses.get(SYSTEMD_FOLDER)
    if folder is None or folder.failed != "missing":
        traits.add("systemd")
    if isinstance(ping, Ping) and ping.is_podman:
        traits.add("podman")
    if isinstance(info, Info) and info.is_rootless:
        traits.add("rootless")
    return frozenset(traits)


def _docker(endpoint: Endpoint, podman: bool) -> str:
    """The command line that reaches the examined engine, as a runbook's `{docker}` is filled."""
    if podman:
        return "podman"
    if endpoint.context:
        return f"docker --context {shlex.quote(endpoint.context)}"
    if endpoint.named and endpoint.url:
        return f"docker -H {shlex.quote(endpoint.url)}"
    return "docker"
