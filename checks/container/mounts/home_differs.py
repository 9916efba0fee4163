"""container.home-differs: a program looks for its files in another home directory than they are."""

from checks.container.claims import is_broken
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.other_homes import OtherHome, OtherHomes
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.images.details import ImageDetails
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import quoted
from diagnose.registry import check


@check("container.home-differs", severity=Severity.critical)
def home_differs(
    other_homes: OtherHomes, clock: Clock, log_tails: LogTails, image_details: ImageDetails | None
) -> CheckResult:
    """A program looks for its files in another home directory than they are in.

    The log misses a file below the program's home directory. That file does not exist, and one of
    the same name lies at the same place below another home directory of the same container: the
    image was built, or the mount was made, for another user. It is a warning where the program
    continues.
    """
    for other_home in other_homes:
        container = other_home.container
        has_failed = not container.is_running or container.restart_count > 0
        is_down = has_failed and is_broken(container, clock, log_tails)
        yield Finding.about(
            container,
            f"{container} looks for {_path_below_home(other_home)} in its home directory {other_home.home}, "
            f"but that is in {other_home.other}",
            {
                LINE: quoted(other_home.line),
                "HOME": f"{other_home.home} (user {container.config.user or 'root'})",
                "where the file is": other_home.path,
            },
            severity=Severity.critical if is_down else Severity.warning,
            signs=log_tails.of(container).signs,
            onset=container.failed_first,
            variables=_steps(other_home, image_details),
        )


def _path_below_home(other_home: OtherHome) -> str:
    """The path below the home directory."""
    return other_home.missed.removeprefix(other_home.home.rstrip("/")).lstrip("/")


def _steps(other_home: OtherHome, image_details: ImageDetails | None) -> PageVariables:
    """The page variables: the other home, or the image's own user, who may enter it."""
    if other_home.is_open:
        return {"home": other_home.other}
    image = (
        image_details.by_id.get(other_home.container.image) if image_details is not None else None
    )
    image_user = image.config.user if image is not None and image.config is not None else ""
    is_for_root = image_user in ("", "0", "root") and other_home.other == "/root"
    has_other_user = other_home.container.config.user != image_user
    return {"overridden": "user"} if has_other_user and is_for_root else {}
