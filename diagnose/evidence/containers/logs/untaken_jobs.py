"""Tasks that Celery's scheduler sends, and that no worker beside it takes.

Both write it down: the scheduler each task that is due, a worker each task that it has received.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.container_logs import ContainerLog, ReadLogs
from diagnose.registry import evidence

LINES = 200
BYTES = 48 * 1024
MOST = 24
"""Logs that are read in one run."""
LEAST = 2
"""Minimum number of times that a task was sent, and not taken."""
WAIT_S = 5.0
"""A task that was sent a moment ago may still be on its way."""
FRESH_S = 24 * 3600.0
_CELERY = LazyPattern(r"(?:^|[/ ])celery(?:$| )")
_SENT = LazyPattern(r"Scheduler: Sending due task [^\s(]{1,200} \((?P<task>[\w.]{1,200})\)")
_TAKEN = LazyPattern(r"Task (?P<task>[\w.]{1,200})\[(?P<id>[\w-]{8,40})\] received")
_ENDED = LazyPattern(
    r"ask (?:[\w.]{1,200}\[|id=)?(?P<id>[\w-]{8,40})\]? "
    r"(?:succeeded|raised|retry|ignored|rejected|revoked)"
)
"""Task shop.mail[1f2e3d4c] succeeded in 0.1s"""
_TALKS = LazyPattern(r": INFO/MainProcess\] ")
"""A worker that writes down what it does, and not only its errors."""
_TRANSPORT = LazyPattern(r"\.(?:>| ) ?(?:transport:|broker ->) {1,20}(?P<place>\S{1,300})")
_QUEUES = LazyPattern(r"(?:^| )(?:-Q|--queues)(?: |=)?(?P<queues>[\w.,-]{1,300})")
_APP = LazyPattern(r"(?:^| )(?:-A|--app)(?: |=)?(?P<app>[\w.:]{1,100})")


class UntakenJobs(msgspec.Struct, frozen=True):
    """A task of a scheduler, and the workers that did not take it."""

    scheduler: Container
    task: str
    times: int
    since: float
    """Unix time of the first of them."""
    line: str
    workers: tuple[Container, ...]
    others: tuple[str, ...] = ()
    """Further tasks of which the same is true."""
    queues: str = ""
    """The queues that the commands of all workers name, by comma; "" where one names none."""
    sent_to: str = ""
    """The broker of the scheduler, where that of the worker is another one."""
    taken_from: str = ""

    @property
    def app(self) -> str:
        """The name of the application in the worker's command; "" without one."""
        match = _APP.search(" ".join(self.workers[0].command))
        return match["app"] if match else ""


class UntakenJobList(Items[UntakenJobs], frozen=True):
    """The untaken jobs, at most one for each scheduler."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def untaken_jobs(host: Host, containers: Containers, clock: Clock) -> UntakenJobList:
    """The jobs that no worker of Celery takes, by the logs of schedulers and workers.

    Both are found by their commands.
    """
    members = [
        container for container in containers.running if _CELERY.search(" ".join(container.command))
    ]
    schedulers = [member for member in members if _has_word(member, "beat")]
    others = [member for member in members if member not in schedulers]
    workers = [member for member in others if _has_word(member, "worker")]
    if not schedulers or not workers:
        return UntakenJobList()
    logs = _logs_of_members(host, [*schedulers, *workers])
    untaken: list[UntakenJobs] = []
    for scheduler in schedulers:
        own_workers = [worker for worker in workers if _are_together(scheduler, worker)]
        if own_workers and logs.has_all([scheduler, *own_workers]):
            untaken += _untaken_jobs(scheduler, own_workers, logs.by_id, clock)
    return UntakenJobList(tuple(untaken), tuple(logs.unexamined))


class _MemberLogs(msgspec.Struct, frozen=True):
    """The logs of schedulers and workers by id, and those that could not be read."""

    by_id: dict[str, ContainerLog]
    unexamined: list[Unexamined]

    def has_all(self, members: Iterable[Container]) -> bool:
        return all(member.id in self.by_id for member in members)


def _logs_of_members(host: Host, members: Sequence[Container]) -> _MemberLogs:
    chosen = host.first(members, MOST, "containers of Celery")
    logs = _MemberLogs({}, [])
    for member, log in host.ask_about(chosen, lambda member: ReadLogs(member.id, LINES, BYTES)):
        if not isinstance(log, Failed):
            logs.by_id[member.id] = log
        elif log.reason != "gone":
            logs.unexamined.append(Unexamined(member.subject, f"its log: {log}"))
    return logs


def _has_word(container: Container, word: str) -> bool:
    return word in " ".join(container.command).split()


def _are_together(container: Container, other: Container) -> bool:
    """Whether two containers are of one project, or of one image without a project."""
    if container.compose_project or other.compose_project:
        return container.shares_project(other)
    return container.image == other.image


class _SentJob(msgspec.Struct, frozen=True):
    """A task that a scheduler has sent to its queue."""

    task: str
    at: float
    line: str


def _untaken_jobs(
    scheduler: Container, workers: Sequence[Container], logs: dict[str, ContainerLog], clock: Clock
) -> Iterator[UntakenJobs]:
    """The tasks of a scheduler that none of the workers has received while their logs reach."""
    begins = [_first_line_at(logs[worker.id]) for worker in workers]
    known_begins = [at for at in begins if at is not None]
    if len(known_begins) < len(workers):
        return
    received_tasks = {name for worker in workers for name in _received_jobs(logs[worker.id])}
    sent_jobs = _sent_jobs(scheduler, logs[scheduler.id], max(known_begins), clock)
    by_task = by_key((job.task, job) for job in sent_jobs if job.task not in received_tasks)
    untaken = {task: jobs for task, jobs in by_task.items() if len(jobs) >= LEAST}
    if untaken:
        yield from _most_frequent_task(scheduler, workers, logs, untaken)


def _sent_jobs(
    scheduler: Container, log: ContainerLog, since: float, clock: Clock
) -> Iterator[_SentJob]:
    """The jobs of this run that were sent since then, without those that may be on their way."""
    for line in log.lines:
        match = _SENT.search(line.text)
        if match is None or line.at is None or line.at < since:
            continue
        is_due = WAIT_S <= clock.wall - line.at <= FRESH_S
        if is_due and scheduler.wrote_in_this_run(line.at):
            yield _SentJob(match["task"], line.at, line.text.strip())


def _most_frequent_task(
    scheduler: Container,
    workers: Sequence[Container],
    logs: dict[str, ContainerLog],
    untaken: Mapping[str, Sequence[_SentJob]],
) -> Iterator[UntakenJobs]:
    """The most frequent task whose jobs no worker takes. Nothing while a worker is busy."""
    task = max(untaken, key=lambda name: len(untaken[name]))
    jobs = untaken[task]
    if any(_is_busy(logs[worker.id], jobs[0].at) for worker in workers):
        return
    sent_to = _transport(logs[scheduler.id])
    taken_from = _transport(logs[workers[0].id])
    is_other = len(workers) == 1 and bool(sent_to and taken_from) and sent_to != taken_from
    yield UntakenJobs(
        scheduler,
        task,
        times=len(jobs),
        since=jobs[0].at,
        line=jobs[-1].line,
        workers=tuple(workers),
        others=tuple(name for name in untaken if name != task),
        queues=_named_queues(workers),
        sent_to=sent_to if is_other else "",
        taken_from=taken_from if is_other else "",
    )


def _named_queues(workers: Sequence[Container]) -> str:
    """The queues that the commands of all workers name, by comma; "" where one names none."""
    matches = [_QUEUES.search(" ".join(worker.command)) for worker in workers]
    queues_by_worker = [match["queues"].split(",") for match in matches if match is not None]
    if len(queues_by_worker) < len(workers):
        return ""
    return ",".join(dict.fromkeys(queue for queues in queues_by_worker for queue in queues))


def _first_line_at(log: ContainerLog) -> float | None:
    """The time of a worker's first line; None for a worker that does not log its received jobs."""
    times = [line.at for line in log.lines if line.at is not None]
    talks = any(_TALKS.search(line.text) for line in log.lines)
    return times[0] if times and talks else None


def _received_jobs(log: ContainerLog) -> Iterator[str]:
    for line in log.lines:
        if match := _TAKEN.search(line.text):
            yield match["task"]


def _is_busy(log: ContainerLog, since: float) -> bool:
    """Whether a worker has a task that has not ended, and has received none since this time.

    It takes no further one then; a worker that keeps receiving others passes these over.
    """
    running: dict[str, float] = {}
    for line in log.lines:
        if (match := _TAKEN.search(line.text)) and line.at is not None:
            running[match["id"]] = line.at
            if line.at > since:
                return False
        elif match := _ENDED.search(line.text):
            running.pop(match["id"], None)
    return bool(running)


def _transport(log: ContainerLog) -> str:
    """The broker in Celery's lines at its start, without the user; "" where they are gone."""
    places = [match["place"] for line in log.lines if (match := _TRANSPORT.search(line.text))]
    return re.sub(r"//[^@/]{1,200}@", "//", places[-1]) if places else ""
