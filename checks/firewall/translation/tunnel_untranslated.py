"""firewall.tunnel-untranslated: the clients of a VPN server leave with their own addresses."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.outgoing.misnamed_exits import MisnamedExit, MisnamedExits
from diagnose.mappings import evidence_of, present
from diagnose.model import HOST, CheckResult, Finding, Json, Severity, Skipped
from diagnose.registry import check


@check("firewall.tunnel-untranslated", severity=Severity.warning)
def tunnel_untranslated(misnamed_exits: MisnamedExits) -> CheckResult:
    """The clients of a VPN server leave with addresses that nobody can answer.

    The clients of a VPN server connect, and get no answer from beyond it: their packets leave with
    addresses of the tunnel, to which no router has a way back. A rule would translate them on
    another interface. A container in two networks has its default route on either of them; a host's
    interface may have been renamed, or the rule was copied from a guide. A tunnel without such a
    rule is routed on purpose, unless the kernel knows calls of its clients, and none has an answer.
    Where the host has the interface that its rule names, the clients may need only the network
    behind that interface: advice.
    """
    yield from misnamed_exits.unread
    if not misnamed_exits.traced and not misnamed_exits.unread:
        return Skipped("no tunnel of this host or of a container has clients")
    for tunnel in misnamed_exits:
        yield _finding(tunnel)


def _finding(tunnel: MisnamedExit) -> Finding:
    container = tunnel.container
    place = "on this host" if container is None else f"inside {container}"
    summary = (
        f"clients of tunnel {tunnel.tunnel} {place} get no answer from the internet: their packets leave "
        f"by {tunnel.leaves_by}, and {_lack(tunnel)}"
    )
    variables = {"subnet": tunnel.subnet, "leaves_by": tunnel.leaves_by}
    if tunnel.rule is not None:
        variables["named"] = tunnel.named
    path_evidence: dict[str, Json] = {
        **evidence_of(tunnel.rule),
        "leaves through": tunnel.leaves_by,
        **present({"calls without an answer": list(tunnel.unanswered[:5])}),
    }
    if container is None:
        return Finding(
            subject=HOST,
            summary=summary,
            evidence=path_evidence,
            severity=None if tunnel.is_absent or tunnel.rule is None else Severity.advice,
            variables={**variables, "on_host": tunnel.tunnel},
            discriminator=tunnel.tunnel,
            signs=NO_WAY_OUT,
        )
    return Finding.about(
        container,
        summary,
        path_evidence,
        discriminator=tunnel.tunnel,
        signs=NO_WAY_OUT,
        variables={**variables, "container": container.name},
    )


def _lack(tunnel: MisnamedExit) -> str:
    """The rule that would hide the clients, and does not."""
    if tunnel.rule is None:
        return f"no rule translates {tunnel.subnet}"
    absence_clause = ", an interface that does not exist" if tunnel.is_absent else ""
    return f"the rule that translates {tunnel.subnet} names {tunnel.named}{absence_clause}"
