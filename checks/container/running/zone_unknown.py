"""container.zone-unknown: a container writes UTC although it asks for another time zone."""

from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.containers.variables.misspelt_zones import MisspeltZone, MisspeltZones
from diagnose.evidence.containers.variables.unknown_zones import ZONES, UnknownZones
from diagnose.evidence.containers.variables.unset_zones import UnsetZone, UnsetZones
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted, sentence
from diagnose.registry import check


@check(
    "container.zone-unknown",
    severity=Severity.advice,
    aloud=("does not know its time zone", "do not know their time zones"),
)
def zone_unknown(
    unknown_zones: UnknownZones,
    misspelt_zones: MisspeltZones | None,
    unset_zones: UnsetZones | None,
) -> CheckResult:
    """A container writes UTC although its variable TZ names another time zone.

    Images without the package tzdata, such as those of Alpine, do not know any zone, and since
    Debian 13 and Ubuntu 24.04 that package lacks old names such as US/Eastern. The C library then
    takes UTC without a word. The log shows it: its times without a zone are those of
    UTC, and the container has no file for the zone. Java and Go may bring zones of their own:
    their logs then show the local time. Where cron runs, no log is needed: it runs its jobs by the
    time of UTC.

    A value of TZ that is not a zone in the container, nor on this host, which has others, is UTC
    for programs too. Rules of hours such as CET-1CEST are left out.

    A variable with a schedule at a fixed hour, in a container without a time zone, means UTC where
    the host has another zone. That is not said aloud: it may be meant.
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
            recheck=(zone.container.run,),
            variables={"zones": f"{ZONES}:{ZONES}:ro"},
        )
    yield from unknown_zones.unread
    for misspelt in misspelt_zones or ():
        yield _misspelt_finding(misspelt)
    for unset in unset_zones or ():
        yield _unset_finding(unset)


def _misspelt_finding(zone: MisspeltZone) -> Finding:
    container = zone.container
    likely = zone.likely_zone
    suggestion = f"{likely} is one" if likely else ""
    return Finding.about(
        container,
        sentence(
            f"{container} has TZ={zone.zone}, which neither it nor this host knows as a time zone: its "
            "programs take UTC",
            suggestion,
        ),
        {"Config.Env TZ": zone.zone, f"{ZONES}/{zone.zone}": "missing in the container"},
        recheck=(container.run,),
        variables={"corrected": f"TZ={likely}"} if likely else {"misspelt": zone.zone},
    )


def _unset_finding(unset: UnsetZone) -> Finding:
    container = unset.container
    return Finding.about(
        container,
        f'{container} has no time zone, so that its {unset.variable} "{unset.schedule}" means UTC; this '
        f"host's time zone is {unset.zone} ({unset.hours:+g} h)",
        {f"Config.Env {unset.variable}": unset.schedule, "Config.Env TZ": "not set"},
        discriminator=unset.variable,
        recheck=(container.run,),
        is_quiet=True,
        variables={"corrected": f"TZ={unset.zone}"},
    )
