"""network.port-allocated: another container has the host port of one that did not start."""

from collections.abc import Sequence

from diagnose.error_signatures import signs
from diagnose.evidence.containers.compose.written_projects import WrittenProjects
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.run_evidence import failed_start_evidence
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.evidence.network.sockets.refused_ports import AllocatedPort, allocated_ports
from diagnose.first_steps.network.network_steps import rejoin
from diagnose.first_steps.network.port_holders import ports_of_several_files, sibling_steps
from diagnose.mappings import subjects_of
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity
from diagnose.phrases import and_more, joined
from diagnose.registry import check


@check("network.port-allocated", severity=Severity.critical)
def port_allocated(containers: Containers, written_projects: WrittenProjects | None) -> CheckResult:
    """A container did not start because another one already has its host port.

    The engine's own allocator refuses, before the kernel is asked. An old error of a container that
    nobody means to run again looks the same: it is a warning once the port is free. A container
    that publishes two of its ports at one port of the host blocks itself. The same happens to two
    containers of one compose service whose file names one port of the host, and with an override
    file whose `ports` compose adds to those of the first file. A service that got another name
    leaves its old container behind, which has the port: the compose file no longer names that
    service. Of the tasks of a swarm service, which swarm makes again and again, the newest one
    speaks for all.
    """
    newest_tasks = _newest_tasks(containers)
    for refused in allocated_ports(containers):
        container = refused.container
        # swarm makes a new task in place of the one that failed
        has_successor = container.created < newest_tasks.get(container.swarm_service, "")
        if not has_successor:
            yield _finding(refused, _left_service(refused, written_projects))


def _finding(refused: AllocatedPort, left_service: str) -> Finding:
    container = refused.container
    port = refused.port
    holders = refused.holders
    twin = sibling_steps(container, holders)
    added = {} if twin else ports_of_several_files(container, port)
    own_ports = {"own_ports": joined(refused.own)} if refused.own else {}
    holder_clause = _holder_clause(refused, is_twin=bool(twin), left_service=left_service)
    steps = own_ports or added or twin or _freed_port_variables(container, holders, left_service)
    return Finding.about(
        container,
        f"{container} did not start: host port {port} is already allocated; {holder_clause}",
        _evidence(refused, added),
        discriminator=str(port),
        severity=Severity.critical if holders or refused.own else Severity.warning,
        touches=subjects_of(holders),
        signs=signs(container.state.error),
        variables={"port": str(port), **steps},
    )


def _evidence(refused: AllocatedPort, added: PageVariables) -> dict[str, Json]:
    """The failed start, and the ports of both sides. added: those that compose has added up."""
    container = refused.container
    evidence = failed_start_evidence(container)
    if refused.own:
        evidence["HostConfig.PortBindings"] = [str(port) for port in container.wanted_ports]
    for holder in refused.holders:
        ports = sorted(holder.network_settings.ports or {})
        evidence[f"NetworkSettings.Ports of {holder.name}"] = [*ports]
    if added:
        files = joined(container.compose_files)
        evidence["ports that compose has added up"] = f"{added['added_ports']}, from {files}"
    if _forgotten_network(container):
        evidence["NetworkSettings.Networks"] = []
    return evidence


def _left_service(refused: AllocatedPort, projects: WrittenProjects | None) -> str:
    """The service of the one holder, where the compose files of its project no longer have it."""
    container = refused.container
    if len(refused.holders) != 1 or not container.compose_project:
        return ""
    (holder,) = refused.holders
    for project in projects or ():
        is_of_it = project.name == container.compose_project == holder.compose_project
        if is_of_it and not project.written.includes:
            is_gone = holder.compose_service not in project.services
            return holder.compose_service if is_gone else ""
    return ""


def _holder_clause(refused: AllocatedPort, *, is_twin: bool, left_service: str) -> str:
    """The clause about the container that publishes the port now."""
    holders = refused.holders
    if left_service:
        return (
            f'{holders[0]} publishes it, left over from service "{left_service}", which the compose '
            "file no longer has"
        )
    if is_twin:
        return f"{holders[0]} of the same compose service publishes it"
    if holders and _is_of_former_project(holders[0], refused.container):
        former = holders[0].compose_project
        return f'{holders[0]} publishes it, of the same file when the project was "{former}"'
    if holders:
        return f"{holders[0]} publishes it"
    if refused.own:
        return f"it publishes its own ports {and_more(refused.own, 3)} there"
    return "no running container publishes it now"


def _newest_tasks(containers: Containers) -> dict[str, str]:
    """When the newest task of each swarm service was made, as the engine writes it, by service.

    A task counts that runs, or that the engine refused to start on this host.
    """
    newest: dict[str, str] = {}
    for container in containers:
        service = container.swarm_service
        if service and (container.start_failed or container.is_running):
            newest[service] = max(container.created, newest.get(service, container.created))
    return newest


def _is_of_former_project(holder: Container, container: Container) -> bool:
    """Whether a container was made from the same compose file, under another project's name."""
    is_of_file = bool(container.compose_files) and holder.compose_files == container.compose_files
    is_same_service = holder.compose_service == container.compose_service
    return is_of_file and is_same_service and holder.compose_project != container.compose_project


def _freed_port_variables(
    container: Container, holders: Sequence[Container], left_service: str
) -> PageVariables:
    """The page variables with the container that has to stop, or with a free port.

    Several holders have several addresses; only the reader knows the right one. left_service: the
    service of the holder that the compose file no longer has, or "".
    """
    if len(holders) > 1:
        return {}
    if left_service and not _forgotten_network(container):
        return {"left_over": holders[0].name, "left_service": left_service}
    if container.swarm_service:
        # swarm makes a new task itself; one that a person starts is none of its
        service = container.swarm_service
        if not holders:
            return {"waiting_service": service}
        return {"task_holder": holders[0].name, "task_service": service}
    network = _forgotten_network(container)
    if network:
        blocker = {"blocker": holders[0].name} if holders else {"unblocked": container.name}
        return {**rejoin(container, network), **blocker}
    return {"holder": holders[0].name} if holders else {"waiting": container.name}


def _forgotten_network(container: Container) -> str:
    """The network that the engine took from a container at a failed start; "" for none.

    Engine 29 does (seen on 29.7.2), and the next start leaves the container without a network.
    """
    mode = container.host_config.network_mode
    is_of_network = ":" not in mode and mode not in ("", "none", "host")
    if container.endpoints or not is_of_network:
        return ""
    return DEFAULT_NETWORK if mode == "default" else mode
