"""Differences as a script: what changes, its risk, the way back, and the commands. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from diagnose.model import Report
from diagnose.phrases import count
from diagnose.repair.differences import Difference, FileChange

LENIENT = 23
"""From this major version on the engine judges a configuration file without starting."""


def text(report: Report, differences: Sequence[Difference], verdict: str, major: int | None) -> str:
    """A shell script that makes the change.

    verdict: what the simulation has shown. major: the engine's major version, None if it is not
    known.
    """
    head = [line for difference in differences for line in difference.lines()]
    undo = [line for difference in reversed(differences) for line in difference.undo()]
    commands = [line for difference in differences for line in difference.commands()]
    restart = _restart(report, differences)
    return "\n".join(
        [
            "#!/bin/sh",
            *(f"# {line}" for line in head),
            f"# Risk: {_risk(report, differences)}",
            f"# Simulated: {verdict}",
            *(f"# To undo: {line}" for line in undo),
            "set -e",
            *commands,
            *_validated(differences, major),
            *([restart] if restart else []),
            "",
        ]
    )


def _then(differences: Sequence[Difference]) -> str:
    wanted = {difference.then for difference in differences}
    return next((then for then in ("restart", "reload") if then in wanted), "nothing")


def _risk(report: Report, differences: Sequence[Difference]) -> str:
    if _then(differences) != "restart":
        return "safe, no container is stopped."
    running = report.host.running
    stopped = f", which stops {count(running, 'running container')}" if running else ""
    return f"disruptive, the engine is restarted{stopped} unless live-restore is on."


def _restart(report: Report, differences: Sequence[Difference]) -> str:
    then = _then(differences)
    if then == "nothing":
        return ""
    if "systemd" not in report.traits:
        return f"service docker {then}"
    return f"systemctl {'--user ' if 'rootless' in report.traits else ''}{then} docker"


def _validated(differences: Sequence[Difference], major: int | None) -> list[str]:
    """The engine's own judgement of its file before it has to start with it."""
    if major is None or major < LENIENT:
        return []
    files = [change for change in differences if isinstance(change, FileChange)]
    return [
        f"dockerd --validate --config-file {change.path} || {{ {next(change.undo())}; exit 1; }}"
        for change in files
        if change.path.endswith(".json")
    ]
