"""storage.owners-changed: somebody has given the engine's data to another user."""

from collections.abc import Iterator

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.storage.root_owner import RootOwner
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.phrases import named, sentence
from diagnose.registry import check

_OF_OWNERS = LazyPattern(
    r"owned by|setuid bit|must be suid|wrong owner|bad owner|unsafe owner|not owned|ownership"
    r"|not permitted|permission denied"
)
"""Complaints of programs about a file of theirs that has another owner; in small letters."""


@check(
    "storage.owners-changed",
    severity=Severity.warning,
    causes=("container.restart-loop", "container.restarts-exhausted", "container.exits-at-start"),
)
def owners_changed(
    owner: RootOwner, daemon: Daemon, containers: Containers | None, tails: LogTails | None
) -> CheckResult:
    """The files of images, containers and volumes have lost their owners.

    The data root, and each folder that the engine has made in it, belongs to a user who is neither
    root nor the first id of `userns-remap`. The engine never makes it so: `chown -R` went over it,
    or a copy without the owners. Programs start as before until they look at an owner: sudo, su,
    ssh, and databases at their data.
    """
    if daemon.is_podman:
        return Skipped("a rootless Podman's data belongs to its user")
    if owner.uid is None:
        return None
    complaining = sorted(
        _complaining_containers(containers, tails), key=lambda container: container.name
    )
    effect = ""
    if complaining:
        effect = f"{named('container', names_of(complaining))} cannot work with that"
    yield Finding(
        subject=DAEMON,
        summary=sentence(
            f"the data root {owner.path} belongs to user {owner.uid}, as after chown -R or a copy "
            "without owners: files of images, containers and volumes have lost their owners",
            effect,
        ),
        evidence=present({f"stat {owner.path}": f"uid {owner.uid}"}),
        variables={"root": owner.path},
        touches=subjects_of(complaining),
    )


def _complaining_containers(
    containers: Containers | None, tails: LogTails | None
) -> Iterator[Container]:
    """The containers whose last lines are about the owner or the rights of a file."""
    for container in containers or ():
        lines = tails.of(container).lines if tails is not None else ()
        if any(_OF_OWNERS.search(line.lower()) for line in lines):
            yield container
