"""firewall.ban-bypassed: a ban list protects only the host, and not its containers."""

from diagnose.evidence.network.paths.published.banned_neighbours import is_ban
from diagnose.evidence.network.paths.published.bypassed_bans import BypassedBan, BypassedBans
from diagnose.evidence.network.rules.rule_programs import place_of, set_of
from diagnose.mappings import by_key
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import counted
from diagnose.registry import check


@check("firewall.ban-bypassed", severity=Severity.warning)
def ban_bypassed(bypassed_bans: BypassedBans) -> CheckResult:
    """A ban list does not keep a banned address from a published port.

    fail2ban, CrowdSec and their kin refuse addresses in the host's input rules by default. A
    published port is translated before, and forwarded: its packets never meet those rules. The
    check reports it where an address was connected to a published port within the last minutes, the
    input rules refuse it at that port, and nothing on its way to the container does. A list for
    another port, such as that of ssh, says nothing about it.
    """
    if not bypassed_bans.walked and not bypassed_bans.unread:
        return Skipped("no ban list, or nobody is connected to a published port")
    groups = by_key(((ban.container.id, ban.host_port, ban.by), ban) for ban in bypassed_bans)
    for bans in groups.values():
        yield _finding(bans)
    yield from bypassed_bans.unread


def _finding(bans: list[BypassedBan]) -> Finding:
    first = bans[0]
    step = first.by
    addresses = [ban.address for ban in bans]
    return Finding.about(
        first.container,
        f"{counted('banned client', addresses, most=2)} still reached published port "
        f"{first.host_port} of {first.container}: chain {step.chain} of table {step.table} sees only "
        "what is sent to the host itself",
        {**step.evidence, "banned clients that were connected": addresses[:10]},
        discriminator=f"{first.host_port}/{first.protocol} {step.chain}",
        recheck=(first.container.run,),
        variables={"port": str(first.host_port), **_cure(first)},
    )


def _cure(ban: BypassedBan) -> PageVariables:
    """The page variables with the set or the chain that should also judge forwarded packets.

    Empty where the chain stops more than banned addresses: that would affect all containers.
    """
    ipset = set_of(ban.by)
    place = place_of(ban.by)
    if "program" not in place:
        return place if ban.is_hooked and ban.is_list_alone else {}
    if ipset:
        return {"set": ipset}
    is_its_own = not ban.is_hooked and is_ban(ban.by.chain)
    return {"program": place["program"], "ban_chain": ban.by.chain} if is_its_own else {}
