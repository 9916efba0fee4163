"""Docker commands in cron jobs and systemd units of the host, and reasons why they fail."""

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.model import HOST, NOT_IN_BUNDLE, Failed, Skipped, Unavailable, Unexamined
from diagnose.questions import Host
from diagnose.questions.cron import (
    CronCall,
    DockerUnit,
    HostJobs,
    JobCall,
    ListCronCalls,
    LostProgram,
    NamedRun,
    PruneCall,
    ReadHostJobs,
)
from diagnose.questions.processes import InspectProcess
from diagnose.registry import evidence

__all__ = [
    "CronCall",
    "CronCalls",
    "DockerUnit",
    "DockerUnits",
    "JobCall",
    "JobCalls",
    "LostProgram",
    "LostPrograms",
    "NamedRun",
    "NamedRuns",
    "PruneCall",
    "PruneCalls",
    "jobs_of_another_engine",
    "unread_jobs",
]


class CronCalls(Items[CronCall], frozen=True):
    """The docker calls in crontabs, in the order of their lines."""

    unexamined: tuple[Unexamined, ...] = ()


def jobs_of_another_engine(daemon: Daemon | None) -> Skipped | None:
    """The reason to skip the jobs of the host; None where they call the engine at hand."""
    if daemon is None or daemon.is_of_host:
        return None
    return Skipped("jobs and units of the host call the system's engine, and this is another one")


def unread_jobs(why: Unavailable) -> Skipped | Unavailable:
    """The result of a check without the jobs of the host; older bundles do not hold them."""
    return Skipped(f"the jobs of the host: {why}") if why.reason in NOT_IN_BUNDLE else why


@evidence
def cron_calls(host: Host) -> CronCalls | Unavailable:
    """The docker commands in cron jobs.

    One question about small files in few folders, and the one of `job_calls`.
    """
    calls = host.require(ListCronCalls())
    jobs = host.ask(ReadHostJobs())
    unread = () if isinstance(jobs, Failed) else _unread_folders(jobs)
    return CronCalls(tuple(calls), unread)


def _unread_folders(jobs: HostJobs) -> tuple[Unexamined, ...]:
    """The folders of crontabs that only root may read."""
    why = "the crontabs of {}: only root may read them"
    return tuple(Unexamined(HOST, why.format(folder)) for folder in jobs.closed)


class JobCalls(Items[JobCall], frozen=True):
    """Calls of docker with the name of a container, in crontabs and units."""

    unexamined: tuple[Unexamined, ...] = ()


class DockerUnits(Items[DockerUnit], frozen=True):
    """Units that stop at once the containers that they have started."""


class NamedRuns(Items[NamedRun], frozen=True):
    """Runs of containers under a name that never remove the container again."""


class LostPrograms(Items[LostProgram], frozen=True):
    """The programs that jobs of cron call, and that cron does not find."""

    unexamined: tuple[Unexamined, ...] = ()


class PruneCalls(Items[PruneCall], frozen=True):
    """Calls of docker that remove volumes, in crontabs and units."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def prune_calls(host: Host) -> PruneCalls | Unavailable:
    """The prune commands in jobs of the host, in one question with `job_calls`."""
    jobs = host.require(ReadHostJobs())
    return PruneCalls(tuple(jobs.prunes), _unread_folders(jobs))


@evidence
def job_calls(host: Host) -> JobCalls | Unavailable:
    """The docker commands in jobs of the host.

    One question with `docker_units` and `prune_calls`, about small files in few folders.
    """
    jobs = host.require(ReadHostJobs())
    return JobCalls(tuple(jobs.calls), _unread_folders(jobs))


@evidence
def docker_units(host: Host) -> DockerUnits | Unavailable:
    """The units of the host that run docker, in one question with `job_calls`."""
    return DockerUnits(tuple(host.require(ReadHostJobs()).units))


@evidence
def named_runs(host: Host) -> NamedRuns | Unavailable:
    """The runs under a name in jobs of the host, in one question with `job_calls`."""
    return NamedRuns(tuple(host.require(ReadHostJobs()).runs))


_USUAL_PATH = "/usr/bin:/bin"
"""The folders in which cron looks where neither the crontab nor its own environment has others."""
_CRONS = ("cron", "crond")


@evidence
def lost_programs(host: Host, processes: Processes | None) -> LostPrograms | Unavailable:
    """The programs that jobs of cron do not find, in one question with `job_calls`.

    A cron with the option -P, as Ubuntu has it since 22.04, looks in all folders of the system.
    """
    jobs = host.require(ReadHostJobs())
    lost = tuple(jobs.lost)
    if any(program.found_at for program in lost) and _looks_everywhere(host, processes):
        lost = tuple(
            program for program in lost if not program.found_at or program.folders != _USUAL_PATH
        )
    return LostPrograms(lost, _unread_folders(jobs))


def _looks_everywhere(host: Host, processes: Processes | None) -> bool:
    """Whether the host's cron hands its own search path to its jobs."""
    processes_of_host = processes.outside if processes is not None else ()
    pids = [process.pid for process in processes_of_host if process.comm in _CRONS]
    details = host.answers_about(pids, InspectProcess).values()
    return any("-P" in detail.cmdline for detail in details)
