"""container.setting-incomplete: a setting of a container does nothing without another part."""

from diagnose.evidence.containers.settings.unmet_needs import UnmetNeed, UnmetNeeds
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.registry import check


@check(
    "container.setting-incomplete",
    severity=Severity.warning,
    aloud=("has a setting that needs another part", "have settings that need another part"),
)
def setting_incomplete(unmet_needs: UnmetNeeds) -> CheckResult:
    """A setting of a container does nothing, for a part that it needs is missing.

    The rules are those of the documentation of well-known images: a variable that needs a second
    one, a capability, a device or a mount, a name that nobody has, a path that is not there. The
    program starts without that part, and logs nothing. It is a warning where users are certainly
    cut off, and else advice.
    """
    for unmet in unmet_needs:
        yield _finding(unmet)


def _finding(unmet: UnmetNeed) -> Finding:
    container = unmet.container
    need = unmet.need
    server = unmet.server
    option = unmet.filled(need.option)
    return Finding.about(
        container,
        f"{container} {unmet.filled(need.says)}",
        {"image": container.config.image, "what fixes it": unmet.filled(need.fix)},
        discriminator=need.key,
        severity=None if need.cuts_off else Severity.advice,
        recheck=(container.run,),
        touches=() if server is None else (server.subject,),
        variables=present({"added": option}),
    )
