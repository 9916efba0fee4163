"""Pulls that failed and did not succeed later.

The daemon's log has the failures, and its events the pulls that succeeded.
"""

import bisect
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.events import Events
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.images.listing import Images, normal, registry_of
from diagnose.evidence.images.pulls.pull_errors import Why
from diagnose.evidence.images.pulls.pull_failures import PullFailure, failure, given_up_registry
from diagnose.evidence.images.pulls.pull_words import PullWords
from diagnose.evidence.images.pulls.registry_names import HUB_HOST
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.model import DAEMON, Subject, Unavailable
from diagnose.registry import evidence

_MISSING_FOR_TASK = LazyPattern(r"fatal task error: No such image: (\S+)")
SAME_FAILURE_S = 0.1
"""Seconds within which lines are about the same failed pull: it leaves up to three within
milliseconds."""
SAME_ATTEMPT_S = 0.5
"""The engine asks a registry over HTTPS first; what follows this soon is of the same registry."""
SAME_PULL_S = 60.0
"""After a mirror or an endpoint failed the engine tries the next one: a pull that ends well so soon
is the same pull."""


class PullTrouble(msgspec.Struct, frozen=True):
    """All failures of one kind with one registry or image."""

    why: Why
    registry: str
    image: str
    count: int
    first: float
    last: float
    """first, last: Unix times."""
    text: str
    """The text of the last failure."""
    of_swarm: bool = False
    """Whether some of the pulls were for tasks of swarm."""

    @property
    def host(self) -> str:
        """The registry's host as a command would ask it."""
        return HUB_HOST if self.registry in ("", "docker.io") else self.registry

    @property
    def words(self) -> PullWords:
        return PullWords(self.text)

    @property
    def subject(self) -> Subject:
        """The image if the daemon named it, else the registry."""
        return Subject("image", self.image) if self.image else DAEMON

    @property
    def what(self) -> str:
        """The image or the registry with its kind and quoted name."""
        if self.image:
            return f'image "{self.image}"'
        if self.registry:
            return f'images of registry "{self.registry}"'
        return "an image (the log does not name it)"


class Pulls(msgspec.Struct, frozen=True):
    """The troubles that no later pull has ended."""

    troubles: tuple[PullTrouble, ...]
    source: str
    """The source of the log."""

    def of(self, why: Why) -> tuple[PullTrouble, ...]:
        return tuple(trouble for trouble in self.troubles if trouble.why == why)


class SuccessfulPull(msgspec.Struct, frozen=True):
    """A pull that the engine's events report."""

    at: float
    reference: str


class _GivenUpEndpoint(msgspec.Struct, frozen=True):
    """An endpoint of a registry did not answer, and the engine tries the next one."""

    at: float
    registry: str


@evidence
def pulls(
    log: DaemonLog,
    clock: Clock,
    options: Options,
    events: Events | Unavailable,
    images: Images | Unavailable,
) -> Pulls | Unavailable:
    """The failed pulls, from the log alone: nothing is ever pulled, and no registry asked."""
    recent = list(log.since(clock.wall - options.since_s))
    successes = tuple(_successful_pulls(events))
    failures = [
        failed
        for failed in _with_missing_images(_failures(recent), _missing_for_tasks(recent))
        if not _has_succeeded_since(failed, successes, images)
    ]
    return Pulls(tuple(_grouped_troubles(failures)), log.source)


def _grouped_troubles(failures: Iterable[PullFailure]) -> Iterator[PullTrouble]:
    """The failures together by kind, registry and image."""
    groups = by_key(((failed.why, failed.registry, failed.image), failed) for failed in failures)
    for (why, registry, image), failures_of_kind in sorted(groups.items()):
        yield PullTrouble(
            why,
            registry=registry,
            image=image,
            count=_times(failures_of_kind),
            first=failures_of_kind[0].at,
            last=failures_of_kind[-1].at,
            text=failures_of_kind[-1].text,
            of_swarm=any(failed.task for failed in failures_of_kind),
        )


def _times(failures: Sequence[PullFailure]) -> int:
    """The number of failed pulls: lines in quick succession are about the same one."""
    return 1 + sum(
        later.at - sooner.at > SAME_FAILURE_S for sooner, later in itertools.pairwise(failures)
    )


def _successful_pulls(events: Events | Unavailable) -> Iterator[SuccessfulPull]:
    """The successful pulls of events, by reference.

    An event's id is the whole reference; its attribute `name` has no tag (seen on engines 20.10.24
    and 28.5.2).
    """
    known_events = events if isinstance(events, Events) else ()
    for event in known_events:
        if event.type == "image" and event.action == "pull":
            yield SuccessfulPull(event.at, event.id)


def _has_succeeded_since(
    failed: PullFailure, successes: Iterable[SuccessfulPull], images: Images | Unavailable
) -> bool:
    """Whether the image is here now, or a later pull of it succeeded.

    Where the log names no image, a pull from the same registry counts, or any pull where it names
    no registry either.
    """
    if isinstance(images, Images) and failed.image and images.has(failed.image):
        return True
    return any(
        success.at >= failed.at and _is_of_same_pull(failed, success) for success in successes
    )


def _is_of_same_pull(failed: PullFailure, success: SuccessfulPull) -> bool:
    if not failed.final and success.at - failed.at < SAME_PULL_S:
        return True
    if failed.image:
        return normal(success.reference) == normal(failed.image)
    return not failed.registry or registry_of(success.reference) == failed.registry


def _failures(lines: Sequence[LogLine]) -> Iterator[PullFailure]:
    """The failures of a log, with image and registry from the lines around each."""
    failures = list(filter(None, map(failure, lines)))
    return _with_registries(_with_images(failures), _given_up_endpoints(lines))


def _with_images(failures: Sequence[PullFailure]) -> list[PullFailure]:
    """The failures, each with its image or task.

    Those that name neither get both from the line that follows on the same pull.
    """
    following: list[PullFailure] = []
    completed = []
    for failed in reversed(failures):
        if failed.image or failed.task:
            following.append(failed)
        elif same_failure := _same_failure(failed, reversed(following)):
            failed = replace(
                failed,
                registry=same_failure.registry,
                image=same_failure.image,
                task=same_failure.task,
            )
        completed.append(failed)
    return completed[::-1]


def _same_failure(failed: PullFailure, later: Iterable[PullFailure]) -> PullFailure | None:
    """The next line about the same failure.

    It names the same registry where that is known, else it has the same words.
    """
    for after in later:
        if after.at - failed.at > SAME_FAILURE_S:
            break
        is_same = failed.text in after.text
        if failed.registry:
            is_same = after.registry == failed.registry
        if is_same and after.why == failed.why:
            return after
    return None


def _given_up_endpoints(lines: Iterable[LogLine]) -> list[_GivenUpEndpoint]:
    """In the order of time."""
    endpoints = []
    for line in lines:
        registry = given_up_registry(line)
        if line.at is not None and registry:
            endpoints.append(_GivenUpEndpoint(line.at, registry))
    return sorted(endpoints, key=lambda endpoint: endpoint.at)


def _with_registries(
    failures: Iterable[PullFailure], endpoints: Sequence[_GivenUpEndpoint]
) -> Iterator[PullFailure]:
    """The failures, each with the registry of which an endpoint was given up a moment before.

    If two pulls run at a time, the log does not say which one failed.
    """
    times = [endpoint.at for endpoint in endpoints]
    for failed in failures:
        first = bisect.bisect_left(times, failed.at - SAME_ATTEMPT_S)
        before = endpoints[first : bisect.bisect_right(times, failed.at)]
        registries = {endpoint.registry for endpoint in before}
        is_named = bool(failed.registry or failed.image or failed.task)
        registry = None if is_named else only(registries)
        yield failed if registry is None else replace(failed, registry=registry)


def _missing_for_tasks(lines: Iterable[LogLine]) -> dict[str, str]:
    """The image that was missing when a task of swarm was to start, by the task's id."""
    matches = (
        (line.fields.get("task.id", ""), _MISSING_FOR_TASK.search(line.text)) for line in lines
    )
    return {task: match[1] for task, match in matches if task and match}


def _with_missing_images(
    failures: Iterable[PullFailure], missing: Mapping[str, str]
) -> Iterator[PullFailure]:
    """The failures without those of tasks whose image is here; a denied one names the image.

    Swarm tries a pull at each start of a task, and accepts the image that is here.
    """
    for failed in failures:
        image = missing.get(failed.task, "")
        if failed.task and not image:
            continue
        if failed.task and failed.why == "denied":
            yield replace(failed, registry=registry_of(image), image=image)
        else:
            yield failed
