"""Copies of evidence in which the engine starts and answers, for the search for causes.

Pure edits of evidence.
"""

from msgspec.structs import replace

from diagnose.evidence.engine.daemon import Daemon
from diagnose.model import Edit
from diagnose.registry import without


@without(
    "daemon.config-invalid",
    "daemon.config-flag-conflict",
    "daemon.storage-driver-failed",
    "daemon.bridge-init-failed",
    "daemon.stale-pidfile",
    "daemon.start-limit-hit",
    "daemon.containerd-down",
    "daemon.containerd-hung",
    "daemon.database-damaged",
    "daemon.database-locked",
)
def engine_answers(daemon: Daemon) -> Edit:
    """The engine answers.

    Each of these checks reads in the engine's own log that the cause kept the engine from it.
    """
    return {Daemon: replace(daemon, silence=None)}
