"""Collectors for what cron and systemd of the host do with docker."""

from __future__ import annotations

from diagnose.live import Live
from diagnose.live.disk.files import ask_worker
from diagnose.model import Json
from diagnose.questions.cron import (
    ListCronCalls,
    ListDockerUnits,
    ListJobCalls,
    ListShellVariables,
)


def cron_calls(live: Live, question: ListCronCalls) -> Json:
    """The calls in /etc/crontab, /etc/cron.d and, as far as the caller may read them, of users."""
    return ask_worker(live, question, "cron_calls", ["/etc", "/var/spool/cron"])


def job_calls(live: Live, question: ListJobCalls) -> Json:
    """The calls in crontabs, and in ExecStart= of units in folders for units of one's own."""
    return ask_worker(live, question, "job_calls", ["/etc", "/var/spool/cron"])


def docker_units(live: Live, question: ListDockerUnits) -> Json:
    """The units in the same folders, with their drop-ins."""
    return ask_worker(live, question, "docker_units", ["/etc"])


def shell_variables(live: Live, question: ListShellVariables) -> Json:
    """The files that a login reads, and `Environment=` of units of one's own."""
    return ask_worker(live, question, "shell_variables", ["/etc", "/root"])
