"""dns.name-shared-by-projects: two projects have a service of one name on one network."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.settings.changed_words import with_text
from diagnose.evidence.dns.names.failed_names import referenced_names
from diagnose.evidence.dns.names.service_names import of_project
from diagnose.evidence.dns.names.shared_names import SharedName, shared_names
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Networks
from diagnose.mappings import names_of, only, present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Subject
from diagnose.phrases import named, quoted
from diagnose.registry import check


@check("dns.name-shared-by-projects", severity=Severity.warning, causes=["container.errors-in-log"])
def name_shared_by_projects(
    containers: Containers, networks: Networks, recent_logs: RecentLogs | None
) -> CheckResult:
    """Services of two compose projects have one name on a network that both use.

    The engine answers a query for the name with the addresses of both, in changing order. A
    container that is configured to call the name reaches the other project's service now and then.
    It is critical where a line of its log has the address of that service beside the name, or says
    that a call to that address failed. The check says nothing where no container calls the name.
    """
    for network in networks:
        if network.name != DEFAULT_NETWORK:
            for shared in shared_names(network.name, containers, recent_logs):
                yield _shared_name_finding(shared)


_PAIR = 2
"""Services of which each may give up the name on the shared network."""


def _shared_name_finding(shared: SharedName) -> Finding:
    network = shared.network
    name = shared.name
    owners = shared.owners
    callers = shared.callers
    variables = {"network": network}
    stranger = shared.movable_stranger
    if stranger is not None:
        variables["stranger"] = stranger.name
    elif shared.has_private_places and len(owners) == _PAIR:
        variables |= {"first": owners[0].name, "second": owners[1].name}
    elif len(owners) == _PAIR:
        variables |= _own_name(shared)
    reached = "reaches one or the other"
    if shared.reached:
        reached = f"has reached {shared.reached[0].owner}"
    return Finding(
        subject=Subject("network", network),
        summary=(
            f'on network "{network}" the name "{name}" is that '
            f"of {named('container', names_of(owners))}, of different projects: "
            f'{callers[0]} calls "{name}" and {reached}'
        ),
        evidence=present(
            {
                "project of each": {owner.name: owner.compose_project for owner in owners},
                "address of each": {
                    owner.name: owner.endpoints[network].ip_address for owner in owners
                },
                "called by": {
                    caller.name: referenced_names(caller)[name] for caller in shared.configured[:5]
                },
                "log": quoted(shared.reached[0].line) if shared.reached else "",
            }
        ),
        variables=variables,
        discriminator=name,
        severity=_severity(shared),
        touches=subjects_of((*owners, *callers)),
    )


def _own_name(shared: SharedName) -> PageVariables:
    """The cure by which the program of one project calls the service of its own by a name that is
    alone, and leaves the shared one to the other project; {} where none is known.

    A name with an underscore is not one that every program takes for a host's.
    """
    for owner in shared.owners:
        caller = only(of_project(shared.callers, owner))
        if caller is None or "_" in owner.name:
            continue
        corrected = _calling_variable(caller, shared.name, owner.name)
        if corrected:
            return {"caller": caller.name, "corrected": corrected, "alone": owner.name}
    return {}


def _calling_variable(caller: Container, name: str, other_name: str) -> str:
    """The variable by which a program finds the host under another name; "" where there are more.

    A scheme of the same name is none of a host: redis://redis:6379.
    """
    variable = referenced_names(caller).get(name, "").removeprefix("environment variable ")
    if f"{name}://" in caller.config.value_of(variable):
        return ""
    return with_text(caller, name, other_name, variable=variable).get("assignment", "")


def _severity(shared: SharedName) -> Severity | None:
    if shared.reached:
        return Severity.critical
    return Severity.advice if shared.has_some_private_place else None
