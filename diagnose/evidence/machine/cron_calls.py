"""Cron jobs of the host that ask docker for a terminal, which they do not have."""

from __future__ import annotations

from diagnose.evidence.items import Items
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.cron import CronCall, ListCronCalls
from diagnose.registry import evidence

__all__ = ["CronCall", "CronCalls", "cron_calls"]


class CronCalls(Items[CronCall], frozen=True):
    """By crontab, in the order of their lines."""


@evidence
def cron_calls(host: Host) -> CronCalls | Unavailable:
    """One question, about small files in few folders."""
    calls = host.require(ListCronCalls())
    return CronCalls(tuple(calls))
