"""The share of several queries that each DNS server answers, from the host and each network.

They are evidence of their own, which needs no names: sending them takes a tenth of a second, and
begins while the logs are read in which `lookups` finds names.
"""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.query_plan import plan_ways
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.dns import DnsSample
from diagnose.registry import begun_early, evidence


class SampledPath(msgspec.Struct, frozen=True):
    """Several queries to one server."""

    server: str
    networks: tuple[str, ...]
    """The networks of the container that sent the queries; empty for the host."""
    sample: DnsSample

    @property
    def loses_some(self) -> bool:
        """Whether some queries were answered and some were not."""
        return self.sample.loses_some


class DnsSamples(msgspec.Struct, frozen=True):
    """The sampled paths to DNS servers: one that answers only some queries is faulty."""

    paths: tuple[SampledPath, ...]


@begun_early
@evidence
def dns_samples(
    host: Host,
    containers: Containers | None,
    networks: Networks | None,
    resolvers: Resolvers,
    routes: Routes | None,
    config: DaemonConfig | None,
) -> DnsSamples | Unavailable:
    """The samples of DNS paths; unavailable where no server could be sent several queries."""
    writes_rules = config is None or config.writes_rules
    samples = plan_ways(
        containers, networks, resolvers, routes, writes_rules=writes_rules
    ).samples()
    paths: list[SampledPath] = []
    failed: Failed | None = None
    answers = dict(host.ask_many(samples))
    for query, networks_of_way in samples.items():
        answer = answers[query]
        if isinstance(answer, Failed):
            failed = answer
        else:
            paths.append(SampledPath(query.server, networks_of_way, answer))
    if failed is not None and not paths:
        return Unavailable.of(failed)
    return DnsSamples(tuple(paths))
