"""Checks of rules whose counters grow: clients beyond a limit, and calls past published ports."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.published.direct_calls import DirectCall, DirectCalls
from diagnose.evidence.network.paths.published.limited_paths import LimitedPath, LimitedPaths, near
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.mappings import present, subjects_of
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Unexamined
from diagnose.phrases import count, numbered, sentence
from diagnose.registry import check

_UNCOUNTED = Unexamined(HOST, "the counters of iptables-legacy's rules could not be read")


@check(
    "firewall.limit-exceeded",
    severity=Severity.advice,
    aloud=("drops clients beyond a limit", "drop clients beyond a limit"),
)
def limit_exceeded(limited_paths: LimitedPaths) -> CheckResult:
    """A limit of the packet filter drops clients of published ports.

    Limits of connections or packets from one address should stop attacks. Behind a reverse proxy, a
    load balancer or a router that hides addresses, all users have one address. The counter of the
    rule rises during the look. It is a warning where a machine with a private address has as many
    connections as the limit allows. For other limits the kernel does not show whom they drop.
    """
    for path in limited_paths:
        yield _limited_finding(path)
    if limited_paths.uncounted:
        yield _UNCOUNTED


def _limited_finding(path: LimitedPath) -> Finding:
    step = path.rule.step
    ports = path.ports
    busy = near(path.busy) or list(path.busy)
    first = busy[0] if busy else None
    clients_clause = ""
    if first is not None:
        clients_clause = (
            f"{first.address} has {count(first.connections, 'connection')}, and only {path.most} "
            "are allowed"
        )
    return Finding(
        subject=HOST,
        summary=sentence(
            f"{step} drops clients of published {numbered('port', ports)}: "
            f"{count(path.rule.within, 'packet')} during this "
            "run",
            clients_clause,
        ),
        evidence=present(
            {
                **step.evidence,
                "dropped since the rule was written": count(path.rule.total, "packet"),
                "connections by client": {
                    client.address: client.connections for client in busy[:5]
                },
            }
        ),
        variables=_cure(path, first.address if first is not None and near([first]) else ""),
        discriminator=step.key,
        severity=Severity.warning if near(path.busy) else None,
        touches=subjects_of(inbound.container for inbound in path.inbound_paths),
        signs=NO_WAY_OUT,
    )


def _cure(path: LimitedPath, client: str) -> PageVariables:
    """The page variables with the rule's place, and the client that it should let pass, where one
    is known.

    Where the chain drops packets that it does not decide, a rule that leaves it would lock the
    client out.
    """
    step = path.rule.step
    place = place_of(step)
    if not client or not path.goes_on or "program" not in place:
        return {"limited_chain": step.chain}
    return {**place, "rule_number": str(path.rule.at + 1), "client": client}


@check(
    "firewall.direct-access-dropped",
    severity=Severity.warning,
    aloud=("loses calls to its own address", "lose calls to their own addresses"),
)
def direct_access_dropped(direct_calls: DirectCalls) -> CheckResult:
    """Somebody calls a container by its own address, and the engine drops it.

    Since 28.0 the engine lets other machines in only by published ports. A router of the LAN, a VPN
    or a second host may lead calls to the subnet of a network, as it could with older engines. The
    counter of the engine's rule has the number of packets. It is advice where no more packets come
    while the tool looks; a few packets do not count. A Traefik of this host calls one of the
    addresses of a container on several networks, unless a label or an option names the network.
    """
    for call in direct_calls:
        yield _direct_finding(call)
    if direct_calls.uncounted:
        yield _UNCOUNTED


def _direct_finding(call: DirectCall) -> Finding:
    container = call.container
    rule = call.rule
    now = f"{count(rule.within, 'packet')} while this command ran" if rule.within else ""
    so_far = f"{count(rule.total + rule.within, 'packet')} so far"
    if call.guesser is not None:
        direct_clause = (
            f"{call.guesser} calls {container} by its address {call.address} on {call.network}, "
            f"where the proxy is not, and the engine drops that ({so_far}): no label "
            f'traefik.docker.network says that they share "{call.shared_network}"'
        )
    else:
        direct_clause = (
            f"{container} is called by its own address {call.address}, but the engine drops such "
            f"packets unless they come through {call.network.bridge}: {so_far}"
        )
    return Finding.about(
        container,
        sentence(direct_clause, now),
        present(
            {
                **rule.step.evidence,
                "packets dropped": rule.total + rule.within,
                "gateway mode": call.mode,
            }
        ),
        discriminator=call.address,
        severity=None if rule.within or call.guesser is not None else Severity.advice,
        touches=(call.network.subject,),
        signs=NO_WAY_OUT,
        recheck=(container.run,),
        variables={"address": call.address, "network": call.network.name, **_way_to_call(call)},
    )


def _way_to_call(call: DirectCall) -> PageVariables:
    """The page variables with the label that names the network to Traefik, or with the option that
    lets other machines in."""
    if call.guesser is not None:
        label = f"traefik.docker.network={call.shared_network}"
        return {"backend": call.container.name, "chosen": label}
    return {"direct_json": '{"allow-direct-routing": true}'} if call.allows else {}
