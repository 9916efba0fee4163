"""Differences as a script: what changes, its risk, the way back, and the commands. Pure."""

from collections.abc import Iterator, Sequence

from diagnose.model import Report
from diagnose.phrases import count
from diagnose.repair.differences import Difference, FileChange, Then
from diagnose.runbooks import for_host

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
    return "\n".join(
        [
            "#!/bin/sh",
            *(f"# {line}" for line in head),
            f"# Risk: {_risk_of(report, differences)}",
            f"# Simulated: {verdict}",
            *(f"# To undo: {line}" for line in undo),
            "set -e",
            "now=$(date +%F-%H%M%S)",
            *commands,
            *_validation_commands(differences, major),
            *_restart(report, differences),
            "",
        ]
    )


def _what_engine_does(report: Report, differences: Sequence[Difference]) -> Then:
    """The engine's step: a restart, a reload or nothing. One that does not answer cannot read
    its file again."""
    effects = {difference.then for difference in differences}
    if "restart" in effects or ("reload" in effects and report.host.engine is None):
        return "restart"
    return "reload" if "reload" in effects else "nothing"


def _risk_of(report: Report, differences: Sequence[Difference]) -> str:
    if _what_engine_does(report, differences) != "restart":
        return "safe, no container is stopped."
    running = report.host.running
    stopped = f", which stops {count(running, 'running container')}" if running else ""
    return f"disruptive, the engine is restarted{stopped} unless live-restore is on."


def _restart(report: Report, differences: Sequence[Difference]) -> Iterator[str]:
    """The commands after which the engine knows the change.

    systemd starts no unit whose start failed too often until that count is reset.
    """
    then = _what_engine_does(report, differences)
    if then == "nothing":
        return
    traits = report.traits
    has_unit = "systemd" in traits and "synology" not in traits
    if has_unit and report.host.engine is None:
        yield for_host("systemctl reset-failed docker || true", traits)
    if then == "reload" and (not has_unit or "snap" in traits):
        yield "kill -HUP $(pidof dockerd)"  # the snap's unit has no ExecReload=
    elif has_unit:
        yield for_host(f"systemctl {then} docker", traits)
    else:
        yield for_host("service docker restart", traits)


def _validation_commands(differences: Sequence[Difference], major: int | None) -> list[str]:
    """The engine's own judgement of its file before it has to start with it."""
    if major is None or major < LENIENT:
        return []
    files = [change for change in differences if isinstance(change, FileChange)]
    return [
        f"dockerd --validate --config-file {change.path} || {{ {next(change.undo())}; exit 1; }}"
        for change in files
        if change.path.endswith(".json")
    ]
