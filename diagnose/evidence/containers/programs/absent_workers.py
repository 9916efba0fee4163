"""Programs with jobs that no worker or scheduler on this host does.

Laravel puts jobs into a queue and calls its schedule by `artisan`; Celery has a broker. The web
server works without either, and logs nothing.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.code_folders import code_folders
from diagnose.evidence.containers.programs.unrun_schedules import schedule_of_celery
from diagnose.evidence.containers.settings.developer_runs import is_for_developers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.cron_calls import JobCalls
from diagnose.evidence.machine.processes import Processes
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.file_texts import FindTexts
from diagnose.questions.files import NOT_ASKED
from diagnose.questions.processes import InspectProcess
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

MOST = 8
"""Programs whose code is looked into."""
_MOST_PROCESSES = 60
_MOST_CRONTABS = 40
Kind = Literal["beat", "celery", "queue", "schedule"]
_SERVES_PHP = frozenset({"apache2", "frankenphp", "httpd", "php", "php-fpm", "rr", "unitd"})
_INTERPRETERS = LazyPattern(r"^(?:celery|php[\d.]{0,5}|python[\d.]{0,5}|frankenphp)$")
"""PHP-FPM is left out: it answers requests alone."""
_SHELLS = frozenset({"ash", "bash", "busybox", "dash", "sh"})
_CRONS = vocabulary(
    "chadburn cron crond dcron deck-chores fcron go-cron go-crond jobber ofelia supercronic yacron"
)
_SOCKET = "docker.sock"
_ROLES: dict[Kind, LazyPattern] = {
    "beat": LazyPattern(r"(?i)beat|schedul|cron|ofelia"),
    "celery": LazyPattern(r"(?i)celery|worker|queue|flower"),
    "queue": LazyPattern(r"(?i)queue|worker|horizon|jobs|schedul|cron"),
    "schedule": LazyPattern(r"(?i)schedul|cron|ofelia"),
}
"""Words of a service or a command that does these jobs, or may do them beside others."""
_WORKS: dict[Kind, LazyPattern] = {
    "beat": LazyPattern(r"\bcelery\b.{0,200}(?:\bbeat\b| -[A-Za-z]{0,3}B\b)"),
    "celery": LazyPattern(r"\bcelery\b"),
    "queue": LazyPattern(r"\bartisan (?:queue:(?:work|listen)|horizon)"),
    "schedule": LazyPattern(r"\bartisan schedule:"),
}
"""Command lines of processes that do them."""
_SCRIPTS = LazyPattern(r"^\S{0,40}sh(?: -\w+)? \S{0,100}(?:schedul|cron|work|queue|horizon)")
"""A shell that runs a script with such a name: sh /run_schedule.sh."""
_EAGER = LazyPattern(r"(?i)(?:^|_)ALWAYS_EAGER=(?:1|on|true|yes)$")
"""Celery does each job within the request."""
_BROKER = LazyPattern(r"(?:^|_)CELERY_BROKER(?:_URL)?$")
_HOST = LazyPattern(r"^[a-z+]{3,10}://(?:[^@/\s]{0,200}@)?(?P<host>[\w.-]{1,200})")
_QUEUE = "QUEUE_CONNECTION"
_FOR_DEVELOPERS = "\nAPP_ENV=local"
_DRIVERS = ("redis", "database", "rabbitmq", "beanstalkd", "sqs")
_SCHEDULES = (
    ("routes/console.php", "\nSchedule::"),
    ("app/Console/Kernel.php", "\n        $schedule->"),
    ("bootstrap/app.php", "\n        $schedule->"),
)
"""Files of Laravel with its schedule, and how a line begins that is not a comment."""
_CRONTABS = ("/etc/cron.d", "/var/spool/cron/crontabs", "/var/spool/cron", "/etc/systemd/system")


class AbsentWorker(msgspec.Struct, frozen=True):
    """A program, and the kind of its jobs that no container does."""

    program: Container
    kind: Kind
    asks: str
    """The setting or the file that has the jobs: QUEUE_CONNECTION=redis."""
    folder: str = ""
    """The folder with the code of Laravel in the container."""

    @property
    def is_of_user(self) -> bool:
        """Whether the code or the setting is the user's own, and not that of a vendor's image."""
        program = self.program
        has_name = program.config.image.startswith(
            (f"{program.compose_project}-", f"{program.compose_project}_")
        )
        is_built = bool(program.compose_project) and has_name
        is_mounted = any(is_within(self.folder, mount.destination) for mount in program.mounts)
        has_setting = program.config.sets(self.asks.partition("=")[0])
        return is_built or has_setting or (bool(self.folder) and is_mounted)


class AbsentWorkers(Items[AbsentWorker], frozen=True):
    """By program; each kind of jobs at most once for a project."""


@evidence
def absent_workers(
    host: Host, containers: Containers, processes: Processes, job_calls: JobCalls | None
) -> AbsentWorkers:
    """Code is looked into only of programs of PHP; a broker has to be a container of this host."""
    workers: dict[tuple[str, Kind], AbsentWorker] = {}
    members = [container for container in containers.running if not is_for_developers(container)]
    with_php = [container for container in members if serves_php(container, processes)]
    jobs_askers = [*_with_broker(members, containers), *_with_schedule(host, members, processes)]
    for container in host.first(with_php, MOST, "programs of PHP"):
        jobs_askers += _jobs_of_laravel(host, container)
    for absent in jobs_askers:
        group = _group(absent.program, containers)
        key = (absent.program.compose_project or absent.program.id, absent.kind)
        if key not in workers and not _is_done(host, absent, group, processes, job_calls):
            workers[key] = absent
    return AbsentWorkers(tuple(workers.values()))


def serves_php(container: Container, processes: Processes) -> bool:
    """Whether a process of a container answers requests by PHP."""
    names = processes.names_inside(container.id)
    return any(name in _SERVES_PHP or name.startswith("php") for name in names)


def _with_broker(members: Sequence[Container], containers: Containers) -> Iterator[AbsentWorker]:
    """The programs that name a broker of Celery among the containers of this host."""
    for container in members:
        for name, value in container.config.environment:
            match = _HOST.match(value)
            if match is None or not _BROKER.search(name) or _is_eager(container):
                continue
            servers = containers.called_by(container, match["host"])
            if servers and servers[0].id != container.id:
                yield AbsentWorker(container, "celery", name)


def _with_schedule(
    host: Host, members: Sequence[Container], processes: Processes
) -> Iterator[AbsentWorker]:
    """The workers of Celery whose code has a schedule."""
    for container in members:
        path = schedule_of_celery(host, container, processes)
        if path:
            yield AbsentWorker(container, "beat", path)


def _is_eager(container: Container) -> bool:
    """Whether a program does its jobs itself, as in tests."""
    return any(_EAGER.search(f"{name}={value}") for name, value in container.config.environment)


def _jobs_of_laravel(host: Host, container: Container) -> Iterator[AbsentWorker]:
    """The queue and the schedule of an application of Laravel in a container."""
    root = f"/proc/{container.state.pid}/root"
    marks = {f"{root}{folder}/artisan": folder for folder in code_folders(container)}
    statuses = path_statuses(host, [*marks], follow=False)
    folders = (
        folder for path, folder in marks.items() if statuses.get(path, NOT_ASKED).type == "file"
    )
    folder = next(folders, "")
    if not folder:
        return
    file = f"{folder}/.env"
    if host.answer_or(FindTexts(file, [_FOR_DEVELOPERS], root=root), []):
        return
    driver = _driver(host, container, file)
    jobs = folder_listing(host, f"{folder}/app/Jobs", root=root)
    if driver and any(name.endswith(".php") for name in jobs.names):
        yield AbsentWorker(container, "queue", f"{_QUEUE}={driver}", folder)
    for file, text in _SCHEDULES:
        path = posixpath.join(folder, file)
        if host.answer_or(FindTexts(path, [text], root=root), []):
            yield AbsentWorker(container, "schedule", path, folder)
            return


def _driver(host: Host, container: Container, file: str) -> str:
    """The queue that an application uses; "" where it does its jobs within the request."""
    value = container.config.value_of(_QUEUE)
    if value:
        return value if value in _DRIVERS else ""
    texts = {f"\n{_QUEUE}={driver}": driver for driver in _DRIVERS}
    root = f"/proc/{container.state.pid}/root"
    inside = host.answer_or(FindTexts(file, [*texts], root=root), [])
    return texts[inside[0]] if inside else ""


def _group(program: Container, containers: Containers) -> list[Container]:
    """The containers that may do the jobs of a program: they need not run.

    One that has the engine's socket may run a command in each other container.
    """
    return [other for other in containers if _is_beside(program, other) or _has_socket(other)]


def _has_socket(container: Container) -> bool:
    """Whether a container may ask the engine to run commands."""
    return any(mount.source.endswith(_SOCKET) for mount in container.mounts)


def _is_beside(program: Container, other: Container) -> bool:
    """Whether two containers are of one image or one project, or on one network."""
    is_of_project = program.compose_project == other.compose_project != ""
    return other.image == program.image or is_of_project or _share_a_network(program, other)


def _share_a_network(program: Container, other: Container) -> bool:
    """Whether two containers are on one network of a user."""
    own_networks = set(program.endpoints) - {"bridge", "host"}
    return not own_networks.isdisjoint(other.endpoints)


def _is_done(
    host: Host,
    absent: AbsentWorker,
    group: Sequence[Container],
    processes: Processes,
    job_calls: JobCalls | None,
) -> bool:
    """Whether anything of this host does such jobs, or may do them."""
    if any(_has_role(member, absent) for member in group):
        return True
    names = set[str]().union(*(processes.names_inside(member.id) for member in group))
    if any(map(_ROLES[absent.kind].search, names - _CRONS)):
        return True
    if _CRONS & names:
        return absent.kind != "celery" or _works(host, absent, group, processes)
    if any(call.target == absent.program.name for call in job_calls or ()):
        return True
    return _works(host, absent, group, processes) or _is_in_crontab(host, absent)


def _has_role(member: Container, absent: AbsentWorker) -> bool:
    """Whether a container has the name of a worker, or a label of it has jobs for a scheduler."""
    command = " ".join(member.config.words)
    if _WORKS[absent.kind].search(re.sub(r"\s+", " ", command)):
        return True
    has_jobs = any(label.startswith(("ofelia.", "chadburn.", "cron.")) for label in member.labels)
    is_other = member.id != absent.program.id
    names = (member.compose_service or member.name, command)
    return has_jobs or (is_other and any(_ROLES[absent.kind].search(name) for name in names))


def _works(
    host: Host, absent: AbsentWorker, group: Iterable[Container], processes: Processes
) -> bool:
    """Whether the command line of a process is that of a worker; True where one is not known."""
    inside = [process for member in group for process in processes.inside(member.id)]
    interpreters = [
        process for process in (*inside, *processes.outside) if _INTERPRETERS.match(process.comm)
    ]
    interpreters += [process for process in inside if process.comm in _SHELLS]
    is_celery = absent.kind == "celery" and any(
        process.comm == "celery" for process in interpreters
    )
    if is_celery or len(interpreters) > _MOST_PROCESSES:
        return True
    details = host.answers_about([process.pid for process in interpreters], InspectProcess)
    patterns = [_WORKS[absent.kind]]
    if absent.kind != "beat":  # the script of a worker starts no beat
        patterns.append(_SCRIPTS)
    lines = [" ".join(detail.cmdline) for detail in details.values()]
    return any(pattern.search(line) for pattern in patterns for line in lines)


def _is_in_crontab(host: Host, absent: AbsentWorker) -> bool:
    """Whether a crontab or a unit of the host mentions the program or its `artisan`."""
    paths = ["/etc/crontab"]
    for folder in _CRONTABS:
        listing = folder_listing(host, folder)
        paths += [
            posixpath.join(folder, entry.name)
            for entry in listing.entries
            if entry.type == "file" and not entry.name.startswith(".")
        ]
    texts = ["artisan", "celery", absent.program.name]
    service = absent.program.compose_service
    texts += [f" {service} "] if service else []
    return any(host.answer_or(FindTexts(path, texts), []) for path in paths[:_MOST_CRONTABS])
