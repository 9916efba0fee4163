"""Names that two servers of one list answer differently."""

from checks.dns.helpers import FAILED_CONTAINERS
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.names.split_names import SplitName, split_name
from diagnose.evidence.dns.resolvers import HOST_FILE, ResolvConf, Resolvers
from diagnose.mappings import present
from diagnose.model import HOST, CheckResult, Finding, Severity
from diagnose.registry import check

_RESOLVED_STUBS = ("127.0.0.53", "127.0.0.54")


@check("dns.servers-disagree", severity=Severity.critical, causes=FAILED_CONTAINERS)
def servers_disagree(
    resolvers: Resolvers, lookups: Lookups, containers: Containers | None
) -> CheckResult:
    """A DNS server denies a name that the next server of the list knows.

    Libraries take NXDOMAIN, or an answer without an address, as final and ask no further server.
    The next server is asked only after silence or an error. The check asks for names that the user
    gave, and for names that a container could not resolve, by its log.
    """
    for name, replies in lookups.user_names.items():
        split = split_name(name, replies)
        if split is not None:
            yield _host_finding(split, resolvers)
    for container in containers or ():
        for name, replies in lookups.failed_by_name(container).items():
            split = split_name(name, replies)
            if split is not None:
                yield _container_finding(split, container)


def _container_finding(split: SplitName, container: Container) -> Finding:
    return Finding.about(
        container,
        f'{container} cannot resolve "{split.name}": {split}',
        split.evidence,
        discriminator=split.name,
        signs=frozenset({"dns"}),
        variables=split.variables,
    )


def _host_finding(split: SplitName, resolvers: Resolvers) -> Finding:
    is_of_resolved = not set(resolvers.host_servers).isdisjoint(_RESOLVED_STUBS)
    is_plain = isinstance(resolvers.host, ResolvConf) and not is_of_resolved
    return Finding(
        subject=HOST,
        summary=f'"{split.name}" does not resolve on the host: {split}',
        evidence={f"{HOST_FILE} nameserver": list(resolvers.host_servers), **split.evidence},
        variables={
            **split.variables,
            "of_host": split.name,
            **present({"file": HOST_FILE if is_plain else ""}),
        },
        discriminator=split.name,
        signs=frozenset({"dns"}),
    )
