"""Names that two servers of one list answer differently."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.dns.helpers import FAILED_CONTAINERS
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.resolvers import HOST_FILE, ResolvConf, Resolvers
from diagnose.mappings import present
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity
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
        split = _split_of_name(name, replies)
        if split is not None:
            yield _host_finding(split, resolvers)
    for container in containers or ():
        for name, replies in lookups.failed_by_name(container).items():
            split = _split_of_name(name, replies)
            if split is not None:
                yield _container_finding(split, container)


def _container_finding(split: _Split, container: Container) -> Finding:
    return Finding.about(
        container,
        f'{container} cannot resolve "{split.name}": {split}',
        split.evidence,
        discriminator=split.name,
        signs=frozenset({"dns"}),
        variables=split.variables,
    )


class _Split(msgspec.Struct, frozen=True):
    """A name, the first server that decides, and a later one that knows an address."""

    name: str
    denier: str
    knower: str
    replies: Mapping[str, DnsReply]

    def __str__(self) -> str:
        denial = self.replies[self.denier].rcode
        answer = self.replies[self.knower].answers[0]
        reply = "no address" if denial == "NOERROR" else denial
        return (
            f"DNS server {self.denier}, which is asked first, says {reply}; "
            f"{self.knower} knows the name ({answer})"
        )

    @property
    def evidence(self) -> dict[str, object]:
        return {
            f"{self.name} A at {server}": _reply_text(reply)
            for server, reply in self.replies.items()
        }

    @property
    def variables(self) -> PageVariables:
        """The page variables, with the server that knows the name first in the proposed order."""
        order = [self.knower, *(server for server in self.replies if server != self.knower)]
        servers = ", ".join(f'"{server}"' for server in order)
        return {"name": self.name, "knower": self.knower, "dns_json": f'{{"dns": [{servers}]}}'}


def _reply_text(reply: DnsReply) -> str:
    return f"{reply}: {', '.join(reply.answers)}" if reply.answers else str(reply)


def _split_of_name(name: str, replies: Mapping[str, DnsReply]) -> _Split | None:
    """The disagreement about a name that the first decisive server denies and a later one knows."""
    decisive = [server for server, reply in replies.items() if reply.knows or reply.denies]
    knowers = [server for server in decisive if replies[server].knows]
    if not knowers or replies[decisive[0]].knows:
        return None
    return _Split(name, decisive[0], knowers[0], replies)


def _host_finding(split: _Split, resolvers: Resolvers) -> Finding:
    is_of_resolved = not set(resolvers.host_servers).isdisjoint(_RESOLVED_STUBS)
    is_plain = isinstance(resolvers.host, ResolvConf) and not is_of_resolved
    return Finding(
        subject=HOST,
        summary=f'"{split.name}" does not resolve on the host: {split}',
        evidence={f"{HOST_FILE} nameserver": list(resolvers.host_servers), **split.evidence},
        variables={**split.variables, **present({"file": HOST_FILE if is_plain else ""})},
        discriminator=split.name,
        signs=frozenset({"dns"}),
    )
