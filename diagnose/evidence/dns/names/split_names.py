"""Names that the servers of one list answer differently. Pure."""

from collections.abc import Mapping

import msgspec

from diagnose.evidence.dns.lookups import DnsReply
from diagnose.model import PageVariables


class SplitName(msgspec.Struct, frozen=True):
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


def split_name(name: str, replies: Mapping[str, DnsReply]) -> SplitName | None:
    """The disagreement about a name that the first decisive server denies and a later one knows."""
    decisive = [server for server, reply in replies.items() if reply.knows or reply.denies]
    knowers = [server for server in decisive if replies[server].knows]
    if not knowers or replies[decisive[0]].knows:
        return None
    return SplitName(name, decisive[0], knowers[0], replies)
