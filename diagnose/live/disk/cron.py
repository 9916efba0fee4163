"""The collector for the cron jobs of the host."""

from __future__ import annotations

from diagnose.live import Live
from diagnose.live.disk.files import ask_worker
from diagnose.model import Json
from diagnose.questions.cron import ListCronCalls


def cron_calls(live: Live, question: ListCronCalls) -> Json:
    """The calls in /etc/crontab, /etc/cron.d and, as far as the caller may read them, of users."""
    return ask_worker(live, question, "cron_calls", ["/etc", "/var/spool/cron"])
