"""network.source-address-refused: others refuse a container for the address by which it leaves."""

import re
from collections.abc import Callable, Collection, Sequence

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.addresses import is_everywhere, is_loopback
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import CheckResult, Count, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import quoted, sentence
from diagnose.registry import check

_REFUSED = LazyPattern(
    r"\b(?:said|response|replied|error)\b.{0,40}\b[45]\d\d[ -][45]\.\d{1,3}\.\d{1,3}\b"
    r"|\b(?:not|isn't|never) (?:been )?(?:allow|permit|authori[sz]|white-?list|trusted)"
    r"|\b(?:white|black|block|allow|allowed|deny)[ -]?list|\bdenied\b|\bforbidden\b|\bblocked\b|\bbanned\b"
    r"|\breverse DNS\b|\bPTR\b",
    re.IGNORECASE,
)
"""How others say that they refuse an address, and mail servers that a message is not taken."""
_COMPLAINS = LazyPattern(
    r"error|fail|invalid|reject|refus|unauthori[sz]ed|\b40[13]\b", re.IGNORECASE
)
"""Any error that names the address tells as much, where it is not the one of the ports."""
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
"""What a server says of somebody who calls it."""
_OF_AN_ACCOUNT = LazyPattern(r"\busing password\b", re.IGNORECASE)
"""MySQL says the same of a wrong password as of a user who may not come from an address."""


@check("network.source-address-refused", severity=Severity.warning)
def source_address_refused(
    containers: Containers,
    recent_logs: RecentLogs,
    interfaces: Interfaces,
    networks: Networks,
    clock: Clock,
    *,
    least: Count = Count(3),
) -> CheckResult:
    """Others refuse a container for the address by which it leaves the host.

    The engine hides what a container sends behind the first address of the interface by which it
    leaves, whatever the address is at which its ports are published. A mail server or a list of
    allowed addresses on the other side then sees an address that it does not expect. The
    container's own log says repeatedly that it is refused, and names an address of this host. It is
    advice where its ports are not published at another address of this host: then the other side
    has to allow this one. Lines about somebody who calls the container itself are left out:
    programs of this host call it with that address. So are those that may be about a password.
    """
    own = [address for address in interfaces.shown_addresses if _is_outer(address, networks)]
    callers = [container for container in containers.running if not container.shares_host_network]
    if not own or not callers:
        return Skipped("no running container leaves by an address of this host")
    for container in callers:
        published = _published_at(container, own)
        for address in own:
            is_other = published not in ("", address)
            says = _refusal_of(address, _COMPLAINS if is_other else _REFUSED)
            lines = recent_logs.repeated(container, says, clock, least)
            if lines:
                yield _finding(container, address, lines, own, networks)
    yield from recent_logs.left_out(callers)


def _is_outer(address: str, networks: Networks) -> bool:
    """Whether others see this address of the host: not one of loopback or of Docker's bridges."""
    gateways = {gateway for network in networks for gateway in network.gateways}
    return bool(address) and not is_loopback(address) and address not in gateways


def _refusal_of(address: str, words: LazyPattern) -> Callable[[str], bool]:
    """Whether a line says that others refuse this very address."""
    whole = re.compile(rf"(?<![\w.:/]){re.escape(address)}(?![\w:]|\.\d|[\"')]{{0,2}},? port )")

    def says(text: str) -> bool:
        is_refusal = bool(words.search(text) or _REFUSED.search(text))
        is_answer = is_refusal and not signs(text) & CALL_FAILED
        return is_answer and bool(whole.search(text)) and not _tells_of_others(text)

    return says


def _tells_of_others(text: str) -> bool:
    """Whether a line is about a client of the program itself, or about a password."""
    if _ANSWERED.search(text):
        return False
    return bool(_OF_A_CLIENT.search(text) or _OF_AN_ACCOUNT.search(text))


def _finding(
    container: Container,
    address: str,
    lines: Sequence[RecentLine],
    own: Collection[str],
    networks: Networks,
) -> Finding:
    """own: the addresses of the host that others see."""
    published = _published_at(container, own)
    is_other = published not in ("", address)
    return Finding.about(
        container,
        sentence(
            f"{container} is refused by others for its source address {address}, with which it "
            "leaves this host",
            f"its ports are published at {published}" if is_other else "",
        ),
        present(
            {
                "log": quoted(lines[-1].text),
                "such lines": len(lines),
                "addresses of this host": sorted(own),
            }
        ),
        discriminator=address,
        severity=None if is_other else Severity.advice,
        stable=container.caller_lives,
    ).with_variables(
        _translation(container, published, networks) if is_other else {"refused": address}
    )


def _published_at(container: Container, own: Collection[str]) -> str:
    """The one address of this host at which all of its ports are published; "" for all or many."""
    places = {published.binding.host_ip for published in container.published_ports}
    place = only(places) or ""
    return place if place in own and not is_everywhere(place) else ""


def _translation(container: Container, published: str, networks: Networks) -> PageVariables:
    """What gives the packets of its one network the address at which it is published."""
    network = _only_bridge(container, networks)
    if network is None or not network.subnet4 or ":" in published:
        return {"refused": published}
    return {
        "subnet": network.subnet4,
        "bridge": network.bridge,
        "wanted": published,
        "network": network.name,
    }


def _only_bridge(container: Container, networks: Networks) -> Network | None:
    """The network by which it leaves, where it has no other one."""
    found = only(networks.of(container))
    return found if found is not None and found.is_bridge else None
