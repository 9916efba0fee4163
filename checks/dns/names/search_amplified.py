"""Search domains in the resolv.conf of containers."""

from msgspec.structs import replace

from checks.dns.helpers import container_names
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.resolvers import Resolvers, resolving_containers
from diagnose.mappings import names_of
from diagnose.model import HOST, CheckResult, Count, Finding, Severity
from diagnose.phrases import agree, count
from diagnose.registry import check


@check("dns.search-amplified", severity=Severity.advice, posture=True)
def search_amplified(
    containers: Containers,
    resolvers: Resolvers,
    *,
    max_search: Count = Count(3),
    max_ndots: Count = Count(1),
) -> CheckResult:
    """Each name that containers look up is tried under many search domains first.

    `ndots` above 1 or a long search list multiplies queries and lets a wildcard domain answer for a
    foreign name.
    """
    yield from resolvers.unread
    many: dict[tuple[int, tuple[str, ...]], list[Container]] = {}
    for container in resolving_containers(containers):
        conf = resolvers.inside.get(container.id)
        if conf is None or not conf.search:
            continue
        if len(conf.search) > max_search or conf.ndots > max_ndots:
            many.setdefault((conf.ndots, conf.search), []).append(container)
    for (ndots, search), affected in many.items():
        verb = agree(affected, "tries", "try")
        finding = Finding(
            subject=HOST if len(affected) > 1 else affected[0].subject,
            summary=f"{container_names(affected)} {verb} {count(len(search), 'search domain')} first for "
            f"every name {_with_few_dots(ndots)} (ndots:{ndots})",
            evidence={
                "options ndots": ndots,
                "search": list(search),
                "containers": names_of(affected),
            },
            variables={"container": affected[0].name},
            discriminator=f"{ndots},{len(search)}",
        )
        yield finding if len(affected) > 1 else replace(finding, service=affected[0].service)


def _with_few_dots(ndots: int) -> str:
    return "without a dot" if ndots == 1 else f"with fewer than {ndots} dots"
