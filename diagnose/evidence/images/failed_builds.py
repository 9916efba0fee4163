"""Builds that failed, and that no later build of the same image has replaced."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.service import is_build_step
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.images.builds import repository_of
from diagnose.evidence.images.listing import Image, Images
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, first_of
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.data_root import Build, ListBuilds
from diagnose.registry import evidence

_SOLVED = "/moby.buildkit.v1.Control/Solve"
"""With this, engine 28 logs the error of a build; engines before it log nothing."""
_NO_HISTORY = ("missing", "not recorded")
"""An engine before 23, and a bundle that is older than this question: what the log has counts."""
_STATUS = LazyPattern(r"^rpc error: code = \w+ desc = ")
_STEP_ENDED = 'process "{command}" did not complete successfully: exit code: {code}'
"""The text of BuildKit."""
_BROKEN_OFF = LazyPattern(r"context canceled|code = Canceled|^Canceled")
"""Somebody ended the command that built."""


class FailedBuild(msgspec.Struct, frozen=True):
    """The newest failed build of one image, after which none went well."""

    build: Build
    times: int
    """Failures in a row."""
    first: float
    """Unix time of the first failure."""

    @property
    def name(self) -> str:
        """The intended name of the image; "" for an image without a name."""
        return first_of(self.build.names, "")

    @property
    def said(self) -> str:
        """BuildKit's error, two spaces and the step: the form that the rows about builds match."""
        return f"{self.build.error}  {self.build.step}".strip()


class FailedBuilds(Items[FailedBuild], frozen=True):
    """The newest first."""


@evidence
def failed_builds(
    host: Host,
    data_root: DataRoot,
    log: DaemonLog | None,
    containers: Containers | None,
    images: Images | None,
    clock: Clock,
    options: Options,
) -> FailedBuilds | Unavailable:
    """The failed builds, from BuildKit's history or else from the engine's log.

    The log is used where this user may not read the history. The classic builder keeps the
    container of the step that failed.
    """
    since = clock.wall - options.since_s
    answer = host.ask(ListBuilds(data_root.path))
    if isinstance(answer, Failed):
        builds = list(_logged_builds(log, since))
        if not builds and answer.reason not in _NO_HISTORY:
            return Unavailable(answer.reason, answer.detail)
    else:
        builds = [build for build in answer if build.at >= since]
    of_classic = _failed_steps(containers or (), images or (), since)
    failures = [*_open_failures(builds), *_open_failures(of_classic)]
    failures.sort(key=lambda failed: -failed.build.at)
    return FailedBuilds(tuple(failures))


def _failed_steps(
    containers: Iterable[Container], images: Iterable[Image], since: float
) -> list[Build]:
    """The failed builds of the classic builder, the newest first.

    A container is left after a build that was mended, too: then there is an image that is newer.
    """
    newest = max((image.created for image in images), default=0)
    builds: list[Build] = []
    for container in containers:
        step = container.command
        code = container.state.exit_code
        if step and code and is_build_step(container):
            error = _STEP_ENDED.format(command=" ".join(step), code=code)
            builds.append(Build(container.finished_at or 0.0, error=error, step=f"RUN {step[-1]}"))
    fresh = [build for build in builds if build.at >= max(since, newest)]
    return sorted(fresh, key=lambda build: -build.at)


def _logged_builds(log: DaemonLog | None, since: float) -> Iterator[Build]:
    """The failed builds that the engine's log has, the newest first, without names and steps."""
    lines = log.since(since) if log is not None else ()
    for line in reversed(lines):
        error = _STATUS.sub("", line.fields.get("error", ""))
        if line.message == _SOLVED and line.at is not None and error:
            yield Build(line.at, error=error)


def _open_failures(builds: Sequence[Build]) -> Iterator[FailedBuild]:
    """The failures since the last success of each image, by the newest one."""
    finished = [build for build in builds if not _BROKEN_OFF.search(build.error)]
    for same in by_key((_image(build), build) for build in finished).values():
        good = next((at for at, build in enumerate(same) if not build.error), len(same))
        if failures := same[:good]:
            yield FailedBuild(failures[0], len(failures), failures[-1].at)


def _image(build: Build) -> tuple[str, ...]:
    """The key of a built image: its repositories, since builds of one commit differ in their tags.

    Engines before 28 keep no names: there a successful build ends earlier failures.
    """
    repositories = tuple(sorted({repository_of(name) for name in build.names}))
    return repositories or (
        "",
        build.dockerfile,
        build.target,
        build.error if not build.ref else "",
    )
