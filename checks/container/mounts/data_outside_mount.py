"""The check container.data-outside-mount.

The data of a container is in an anonymous volume beside the mount that was meant for it.
"""

from diagnose.evidence.containers.mounts.data.split_data import SplitMount, SplitMounts
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Subject
from diagnose.phrases import sentence
from diagnose.registry import check


@check("container.data-outside-mount", severity=Severity.warning)
def data_outside_mount(split_mounts: SplitMounts) -> CheckResult:
    """A container keeps its data in an anonymous volume beside the intended mount.

    The image declares a volume at one path, and the user mounted a volume or a folder one level
    above or below that path. The engine then makes an anonymous volume for the image's path. What
    is in it is lost with the container: `docker rm -v`, `docker compose down -v`, and a recreated
    container start with an empty one. Anonymous volumes that the user asked for (`-v
    /app/node_modules`) are left out.
    """
    for split in split_mounts:
        container, own, anonymous = split.container, split.own, split.anonymous
        is_below = own.holds(anonymous.destination)
        relation = "above" if is_below else "below"
        place = own.place
        left: dict[str, Json] = {}
        if split.older:
            left = {"volume without a container": f"{split.older[:12]} has files of the same names"}
        finding = Finding.about(
            container,
            sentence(
                f"{container} keeps {anonymous.destination} in an anonymous volume, and not in {place}, "
                f"which is mounted one level {relation}, at {own.destination}",
                "an older anonymous volume was left behind, as after a recreate"
                if split.older
                else "",
            ),
            {
                "anonymous volume": f"{anonymous.name[:12]} -> {anonymous.destination}",
                "mounted by the user": f"{own.name or own.source} -> {own.destination}",
                **left,
            },
            discriminator=anonymous.destination,
            touches=(Subject("volume", anonymous.name),),
            volume=anonymous.name,
            destination=anonymous.destination,
        )
        yield finding.with_variables(_left_behind(split))


def _left_behind(split: SplitMount) -> PageVariables:
    """The variables of the page where the earlier data is in a volume without a container."""
    if not split.older:
        return {}
    at = split.anonymous.destination
    return {"left": f"{split.older}:{at}", "meant": split.own.destination}
