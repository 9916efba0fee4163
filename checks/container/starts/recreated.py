"""container.recreate-interrupted and container.older-than-its-tag: a deployment half done."""

from checks.container.claims import compose_variables
from diagnose.evidence.containers.compose.half_recreated import HalfRecreated, half_recreated
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.images.listing import Image, Images, normal, tag_of
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Seconds, Severity
from diagnose.phrases import short_id
from diagnose.registry import check


@check("container.recreate-interrupted", severity=Severity.critical)
def recreate_interrupted(
    containers: Containers, clock: Clock, ping: Ping | None, *, grace: Seconds = Seconds(60)
) -> CheckResult:
    """A deployment was interrupted while it replaced a container.

    For the time of a recreate compose has two containers, one of them under a temporary name. If it
    ends in between, both stay: the service is down, or runs under a name that the next
    `docker compose up` collides with ("name is already in use"). It is critical if neither runs.
    For `grace` seconds after the newer one was created the deployment may still be at work.
    """
    for pair in half_recreated(containers):
        if not clock.is_within(pair.newest, grace):
            yield _finding(pair, ping)


def _finding(pair: HalfRecreated, ping: Ping | None) -> Finding:
    left_over = pair.left
    name = pair.name
    twin = pair.twin
    return Finding.about(
        left_over,
        f'the recreate of container "{name}" was interrupted: {_leftover_clause(left_over, twin)}'
        f"{_version_one_clause(left_over, ping)}",
        {
            f'State of "{left_over.name}"': left_over.state.status,
            f'State of "{name}"': twin.state.status if twin is not None else "no such name",
        },
        severity=Severity.warning if pair.is_up else Severity.critical,
        variables=_cure(left_over, name, twin),
    )


_WITHOUT_CONTAINER_CONFIG = (25,)
"""The first engine whose answer about an image lacks the part that version 1 of compose reads."""


def _version_one_clause(left_over: Container, ping: Ping | None) -> str:
    """The sentence that version 1 of compose cannot work with this engine; "" for any other
    version."""
    version = left_over.compose_label("version")
    if not version.startswith("1.") or ping is None or ping.version < _WITHOUT_CONTAINER_CONFIG:
        return ""
    return (
        f". docker-compose {version} cannot recreate containers on engines from 25 on "
        "(KeyError: 'ContainerConfig'): use docker compose, version 2"
    )


def _leftover_clause(left_over: Container, twin: Container | None) -> str:
    if twin is None:
        state = "runs under that name" if left_over.is_running else "is not running"
        return f"{left_over} is left from it, and {state}"
    if left_over.is_running or twin.is_running:
        running = left_over.name if left_over.is_running else twin.name
        return f'"{left_over.name}" is left from it beside "{twin.name}", and only "{running}" runs'
    return f'"{left_over.name}" is left from it beside "{twin.name}", and neither runs'


def _cure(left_over: Container, name: str, twin: Container | None) -> PageVariables:
    """The page variables with the container to start, to rename or to remove."""
    if twin is None:
        return {"only": left_over.name, "name": name}
    if left_over.is_running:
        return {"unused": twin.name, "kept": left_over.name, "name": name}
    return {"leftover": left_over.name} if twin.is_running else {"ready": twin.name}


_MOVES = ("load", "pull", "tag")
"""The engine's events by which a tag moves to another image."""


@check(
    "container.older-than-its-tag",
    severity=Severity.advice,
    aloud=("was restarted, and has its old image", "were restarted, and have their old images"),
)
def older_than_its_tag(
    containers: Containers,
    images: Images,
    clock: Clock,
    events: Events | None,
    *,
    settled: Seconds = Seconds(3600),
) -> CheckResult:
    """A container runs an older build than its image tag now names.

    A pull or a build moved the tag, and the container was not recreated: a restart does not change
    its image. Images of an id or a digest do not move. On a build host, where tags move every few
    minutes, a container is not reported for `settled` seconds after its creation. It is said aloud
    where the container was started again since its tag moved: whoever did so may take it for
    updated. An event of the engine says when that was, or the time of an image's build that has
    come from no registry.
    """
    now = {normal(tag): image for image in images for tag in image.tags}
    for container in containers.running:
        reference = container.config.image
        image = now.get(normal(reference)) if reference and tag_of(reference) else None
        if image is None or not container.image or image.id == container.image:
            continue
        if not clock.has_passed(container.created_at, settled):
            continue
        moved_at = _moved_at(image, reference, events)
        was_restarted = moved_at is not None and moved_at < (container.started_at or 0.0)
        restart_clause = ": a restart does not change its image" if was_restarted else ""
        yield Finding.about(
            container,
            f'{container} runs an older build than image "{reference}" now names{restart_clause}',
            present(
                {
                    "Image": short_id(container.image),
                    f"id of {reference}": short_id(image.id),
                    "created": clock.ago(container.created_at),
                    "last start": clock.ago(container.started_at) if was_restarted else "",
                }
            ),
            is_quiet=not was_restarted,
            variables=_newer_image(container, reference),
        )


def _moved_at(image: Image, reference: str, events: Events | None) -> float | None:
    """The Unix time at which the tag moved to this image; None where it is not known."""
    moves = [
        event.at
        for event in events or ()
        if event.type == "image"
        and event.action in _MOVES
        and normal(_tag_of_event(event)) == normal(reference)
    ]
    if moves:
        return moves[-1]
    return None if image.digests else image.created or None


def _tag_of_event(event: Event) -> str:
    """The tag of an event: a pull has it as its id, other events beside an image's id."""
    return event.name if event.id.startswith("sha256:") else event.id


def _newer_image(container: Container, reference: str) -> PageVariables:
    """The page variables with which compose, the swarm, or a new container of the same settings
    takes the image.

    The swarm starts no new task where the name of the image is the same.
    """
    if container.swarm_service:
        return {"swarm_service": container.swarm_service}
    return {"image": reference, **compose_variables(container)}
