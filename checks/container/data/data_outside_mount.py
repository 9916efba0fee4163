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
    above or below that path. The engine then makes an anonymous volume for the image's path. Its
    files are lost with the container: `docker rm -v`, `docker compose down -v`, and a recreated
    container start with an empty one. The same is true where the user's mount is at another path
    and stays empty. Anonymous volumes that the user asked for are left out: `-v /app/node_modules`.
    """
    for split in split_mounts:
        container = split.container
        mount = split.own
        anonymous = split.anonymous
        left_evidence: dict[str, Json] = {}
        older = ""
        if split.older:
            older = "an older anonymous volume was left behind, as after a recreate"
            left_evidence = {
                "volume without a container": f"{split.older[:12]} has files of the same names"
            }
        yield Finding.about(
            container,
            sentence(
                f"{container} keeps {anonymous.destination} in an anonymous volume, and not in "
                f"{mount.place}, which {_relation(split)}",
                older,
            ),
            {
                "anonymous volume": f"{anonymous.name[:12]} -> {anonymous.destination}",
                "mounted by the user": f"{mount.name or mount.source} -> {mount.destination}",
                **left_evidence,
            },
            discriminator=anonymous.destination,
            touches=(Subject("volume", anonymous.name),),
            variables={"volume": anonymous.name, **_earlier_data_variables(split)},
        )


def _relation(split: SplitMount) -> str:
    """The predicate about the user's mount: where it is mounted, relative to the path of the
    image."""
    mount = split.own
    if split.is_apart:
        return f"is empty, and mounted at {mount.destination}"
    relation = "above" if mount.holds(split.anonymous.destination) else "below"
    return f"is mounted one level {relation}, at {mount.destination}"


def _earlier_data_variables(split: SplitMount) -> PageVariables:
    """The page variables for earlier data in a volume without a container, and those that bring the
    present data into an empty mount."""
    mount = split.own
    written_to = split.anonymous.destination
    if split.older:
        return {
            "left": f"{split.older}:{written_to}",
            "meant": mount.destination,
            "destination": written_to,
        }
    if not split.is_apart:
        return {"destination": written_to}
    return {
        "written": f"{split.container.name}:{written_to}/.",
        "store": mount.source,
        "empty": mount.destination,
        "anonymous": written_to,
        "placed": f"{mount.name or mount.source}:{written_to}",
    }
