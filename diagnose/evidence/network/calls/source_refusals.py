"""Refusals of a container for the address by which it leaves the host."""

import re
from collections.abc import Callable, Collection

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.addresses import is_everywhere, is_loopback
from diagnose.evidence.network.networks import Networks
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only

REFUSED = LazyPattern(
    r"\b(?:said|response|replied|error)\b.{0,40}\b[45]\d\d[ -][45]\.\d{1,3}\.\d{1,3}\b"
    r"|\b(?:not|isn't|never) (?:been )?(?:allow|permit|authori[sz]|white-?list|trusted)"
    r"|\b(?:white|black|block|allow|allowed|deny)[ -]?list|\bdenied\b|\bforbidden\b|\bblocked\b|\bbanned\b"
    r"|\breverse DNS\b|\bPTR\b",
    re.IGNORECASE,
)
"""Errors of servers that refuse an address, and of mail servers that refuse a message."""
COMPLAINS = LazyPattern(
    r"error|fail|invalid|reject|refus|unauthori[sz]ed|\b40[13]\b", re.IGNORECASE
)
"""Any error that names the address counts as well, where it is not about the ports."""
_ANSWERED = LazyPattern(
    r"\bsaid: [45]\d\d\b|\bin reply to\b|\bnot allowed to (?:access|connect to) (?:the|this) ",
    re.IGNORECASE,
)
"""The answer of another server, for mail or of a database, which calls this host its client."""
_OF_A_CLIENT = LazyPattern(
    r"\bclient(?:[_-]?(?:ip|addr|address|host))?\b|\bremote[_-]?(?:ip|addr|address|host)\b"
    r"|\bban(?:ned|s)? IP\b|\b(?:event|login|logins|query|request|requests) from\b"
    r"|\breject(?:ed)?: |\bNOQUEUE\b|\b(?:RCPT|CONNECT|EHLO) from\b|\" [1-5]\d\d ",
    re.IGNORECASE,
)
"""Words of a server about its client."""
_OF_AN_ACCOUNT = LazyPattern(r"\busing password\b", re.IGNORECASE)
"""The error of MySQL that is the same for a wrong password and for a user from a wrong address."""


def is_outer_address(address: str, networks: Networks) -> bool:
    """Whether others see this address of the host: not one of loopback or of Docker's bridges."""
    gateways = {gateway for network in networks for gateway in network.gateways}
    return bool(address) and not is_loopback(address) and address not in gateways


def source_refusal_of(address: str, words: LazyPattern) -> Callable[[str], bool]:
    """Whether a line says that others refuse this very address."""
    whole = re.compile(rf"(?<![\w.:/]){re.escape(address)}(?![\w:]|\.\d|[\"')]{{0,2}},? port )")

    def says(text: str) -> bool:
        is_refusal = bool(words.search(text) or REFUSED.search(text))
        is_answer = is_refusal and not signs(text) & CALL_FAILED
        return is_answer and bool(whole.search(text)) and not _tells_of_others(text)

    return says


def _tells_of_others(text: str) -> bool:
    """Whether a line is about a client of the program itself, or about a password."""
    if _ANSWERED.search(text):
        return False
    return bool(_OF_A_CLIENT.search(text) or _OF_AN_ACCOUNT.search(text))


def published_at(container: Container, own_addresses: Collection[str]) -> str:
    """The one address of this host at which all of its ports are published; "" for all or many."""
    places = {published.binding.host_ip for published in container.published_ports}
    place = only(places) or ""
    return place if place in own_addresses and not is_everywhere(place) else ""
