"""container.network-gone: a network that a container is attached to no longer exists."""

from checks.container.starts.start_errors import failed_start
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.model import CheckResult, Severity
from diagnose.registry import check

NETWORK = LazyPattern(
    r"network (?P<name>\S+) not found"
    r"|could not find (?:a )?network matching network mode (?P<mode>\S+)"
)
"""The network that a container should join, and that is gone."""


@check("container.network-gone", severity=Severity.critical)
def network_gone(containers: Containers) -> CheckResult:
    """A network that a container is attached to no longer exists.

    A container keeps the networks it was created with; a network that was removed and recreated
    under the same name is another one. Seen on engines 20.10.24, 26.1.5 and 28.5.2: exit code 128.
    """
    for container in containers:
        match = NETWORK.search(container.state.error) if container.start_failed else None
        if match:
            network = match["name"] or match["mode"]
            name = network if network in container.endpoints else _only_network(container, network)
            yield failed_start(
                container, f'its network "{name}" is gone', variables={"network": name}
            )


def _only_network(container: Container, network: str) -> str:
    """The name of a network that the engine names by its id, where the container has only one.

    Otherwise the id.
    """
    return first_of(container.endpoints) if len(container.endpoints) == 1 else network
