"""dns.name-shared-by-roles: containers with different work have one name on one network."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.dns.names.failed_names import referenced_names
from diagnose.evidence.dns.names.shared_roles import SharedByRoles, shared_by_roles
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Networks
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Subject
from diagnose.phrases import named, quoted, sentence
from diagnose.registry import check


@check(
    "dns.name-shared-by-roles",
    severity=Severity.warning,
    causes=["container.errors-in-log", "container.database-refused"],
)
def name_shared_by_roles(
    containers: Containers, networks: Networks, recent_logs: RecentLogs | None
) -> CheckResult:
    """Containers with different work have one name on a network that somebody calls.

    The engine answers a query for the name with the addresses of all, in changing order: every
    second connection goes to the other one. It may be the copy of a database, which takes no
    writes, the former release of a program that nobody has stopped, or another program altogether.
    It is a warning where a caller's log says repeatedly that its writes are refused, and advice
    elsewhere: two releases side by side may be meant. Replicas of one service and image are left
    out. Services of two projects have a check of their own, `dns.name-shared-by-projects`.
    """
    for network in networks:
        if network.name != DEFAULT_NETWORK:
            for shared in shared_by_roles(network.name, containers, recent_logs):
                yield _finding(shared)


def _finding(shared: SharedByRoles) -> Finding:
    network = shared.network
    owners = shared.owners
    callers = shared.callers
    end = f"{callers[0]} calls it and reaches one or the other"
    if shared.line:
        end = f"every second connection of {callers[0]} reaches one that refuses its writes"
    return Finding(
        subject=Subject("network", network),
        summary=sentence(
            f'on network "{network}" {named("container", names_of(owners))} share the name '
            f'"{shared.name}", and {shared.reason}',
            end,
        ),
        evidence=present(
            {
                "image of each": {owner.name: owner.config.image for owner in owners},
                "address of each": {
                    owner.name: owner.endpoints[network].ip_address for owner in owners
                },
                "called by": {
                    caller.name: referenced_names(caller)[shared.name] for caller in callers[:5]
                },
                "log": quoted(shared.line) if shared.line else "",
            }
        ),
        variables=_variables(shared),
        discriminator=shared.name,
        severity=None if shared.line else Severity.advice,
        touches=subjects_of((*owners, *callers)),
    )


def _variables(shared: SharedByRoles) -> PageVariables:
    words = {"network": shared.network, "name": shared.name}
    if shared.leaving is None:
        return words
    return {**words, "leaving": shared.leaving.name}
