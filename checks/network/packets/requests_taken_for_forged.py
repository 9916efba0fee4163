"""Requests that rp_filter takes for forged."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.gateways.strict_uplinks import StrictUplinks
from diagnose.model import CheckResult, Count, Finding, Severity, Skipped, Subject
from diagnose.phrases import count, numbered
from diagnose.registry import check


@check("network.requests-taken-for-forged", severity=Severity.warning)
def requests_taken_for_forged(
    strict_uplinks: StrictUplinks, *, least: Count = Count(1)
) -> CheckResult:
    """rp_filter drops requests, because replies would use another interface.

    A host with several interfaces has one default route. With `rp_filter` at 1, the kernel drops a
    request whose sender it would answer by another interface. It does so before the packet filter,
    without a trace but a counter. The check says nothing while the counter does not rise: an
    interface of a storage network has no clients beyond it.
    """
    drops = strict_uplinks.drops
    if not len(strict_uplinks) or drops is None:
        return Skipped("no second interface of this host drops requests of clients beyond it")
    for uplink in strict_uplinks:
        if drops.within < least:
            continue
        yield Finding(
            subject=Subject("interface", uplink.name),
            summary=f"the kernel drops requests to published {numbered('port', uplink.ports)} that "
            f'arrive on interface "{uplink.name}" from clients beyond it (rp_filter={uplink.mode}), because '
            f"answers to them leave through {uplink.back or 'no interface'}",
            evidence={
                "address": uplink.address,
                "rp_filter in force": uplink.mode,
                "way back to clients of other nets": uplink.back or "none",
                "IPReversePathFilter": drops.total,
                "dropped while this was read": count(drops.within, "packet"),
            },
            variables={"uplink": uplink.name},
            signs=NO_WAY_OUT,
        )
