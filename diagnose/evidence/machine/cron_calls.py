"""What cron and systemd of the host do with docker, and cannot do."""

from __future__ import annotations

from diagnose.evidence.items import Items
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.cron import (
    CronCall,
    DockerUnit,
    JobCall,
    ListCronCalls,
    ReadHostJobs,
)
from diagnose.registry import evidence

__all__ = ["CronCall", "CronCalls", "DockerUnit", "DockerUnits", "JobCall", "JobCalls"]


class CronCalls(Items[CronCall], frozen=True):
    """By crontab, in the order of their lines."""


@evidence
def cron_calls(host: Host) -> CronCalls | Unavailable:
    """One question, about small files in few folders."""
    calls = host.require(ListCronCalls())
    return CronCalls(tuple(calls))


class JobCalls(Items[JobCall], frozen=True):
    """Calls of docker with the name of a container, in crontabs and units."""


class DockerUnits(Items[DockerUnit], frozen=True):
    """Units that stop at once what they have started."""


@evidence
def job_calls(host: Host) -> JobCalls | Unavailable:
    """One question with `docker_units`, about small files in few folders."""
    return JobCalls(tuple(host.require(ReadHostJobs()).calls))


@evidence
def docker_units(host: Host) -> DockerUnits | Unavailable:
    """One question with `job_calls`."""
    return DockerUnits(tuple(host.require(ReadHostJobs()).units))
