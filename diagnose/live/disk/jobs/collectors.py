"""Collectors for what cron and systemd of the host do with docker."""

from diagnose.live import Live
from diagnose.live.disk.files import ask_worker
from diagnose.model import Json
from diagnose.questions.cron import ListCronCalls, ListRuleFlushes, ListShellVariables, ReadHostJobs


def cron_calls(live: Live, question: ListCronCalls) -> Json:
    """The calls in /etc/crontab, /etc/cron.d and, as far as the caller may read them, of users."""
    return ask_worker(live, question, "cron_calls", ["/etc", "/var/spool/cron"])


def host_jobs(live: Live, question: ReadHostJobs) -> Json:
    """Crontabs, and the units in folders for units of one's own with their drop-ins."""
    return ask_worker(live, question, "host_jobs", ["/etc", "/var/spool/cron"])


def rule_flushes(live: Live, question: ListRuleFlushes) -> Json:
    """Crontabs, units of one's own, and scripts of /etc/network/if-up.d."""
    return ask_worker(live, question, "rule_flushes", ["/etc", "/var/spool/cron"])


def shell_variables(live: Live, question: ListShellVariables) -> Json:
    """The files that a login reads, and `Environment=` of units of one's own."""
    return ask_worker(live, question, "shell_variables", ["/etc", "/root"])
