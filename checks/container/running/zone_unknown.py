"""container.zone-unknown: a container writes UTC although it asks for another time zone."""

from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.containers.variables.unknown_zones import ZONES, UnknownZones
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted
from diagnose.registry import check


@check(
    "container.zone-unknown",
    severity=Severity.advice,
    aloud=("does not know its time zone", "do not know their time zones"),
)
def zone_unknown(unknown_zones: UnknownZones) -> CheckResult:
    """A container writes UTC although its variable TZ names another time zone.

    Images without the package tzdata, such as those of Alpine, do not know any zone, and since
    Debian 13 and Ubuntu 24.04 that package lacks old names such as US/Eastern. The C library then
    takes UTC without a word. The log shows it: its times without a zone are those of
    UTC, and the container has no file for the zone. Java and Go may bring zones of their own:
    their logs then show the local time. Where cron runs, no log is needed: it runs its jobs by the
    time of UTC.
    """
    for zone in unknown_zones:
        hours = zone.offset_s / 3600
        activity = "writes times" if zone.line else "runs its cron jobs by the time"
        yield Finding.about(
            zone.container,
            f"{zone.container} {activity} of UTC, not of {zone.zone} ({hours:+g} h), which TZ "
            "names: its image does not have that time zone",
            {
                **present({LINE: quoted(zone.line) if zone.line else ""}),
                "Config.Env TZ": zone.zone,
                f"{ZONES}/{zone.zone}": "missing in the container",
            },
            stable=(zone.container.life,),
            variables={"zones": f"{ZONES}:{ZONES}:ro"},
        )
    yield from unknown_zones.unread
