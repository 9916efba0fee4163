"""The check container.data-outside-mount.

The data of a container is in an anonymous volume beside the mount that was meant for it.
"""

from __future__ import annotations

from diagnose.evidence.containers.split_data import SplitMounts
from diagnose.model import CheckResult, Finding, Severity, Subject
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
    for split in split_mounts.items:
        container, own, anonymous = split.container, split.own, split.anonymous
        is_below = anonymous.destination.startswith(f"{own.destination.rstrip('/')}/")
        relation = "above" if is_below else "below"
        place = own.place
        yield Finding.about(
            container,
            f"{container} keeps {anonymous.destination} in an anonymous volume: "
            f"{place} is mounted one level {relation}, at {own.destination}",
            {
                "anonymous volume": f"{anonymous.name[:12]} -> {anonymous.destination}",
                "mounted by the user": f"{own.name or own.source} -> {own.destination}",
            },
            discriminator=anonymous.destination,
            touches=(Subject("volume", anonymous.name),),
            volume=anonymous.name,
            destination=anonymous.destination,
        )
    return None
