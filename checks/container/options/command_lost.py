"""container.command-lost: another entrypoint has cleared the command of the image."""

from checks.container.claims import compose_variables
from diagnose.evidence.containers.options.lost_commands import LostCommand, LostCommands
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import shortened
from diagnose.registry import check

SHOWN = 100


@check("container.command-lost", severity=Severity.critical)
def command_lost(lost_commands: LostCommands) -> CheckResult:
    """A container has nothing to run: its own entrypoint removed its image's command.

    A script that waits for another service, or prepares something, is put in front of a program by
    `entrypoint:` in a compose file, or by `--entrypoint`. Either one also clears the image's CMD,
    so that `exec "$@"` at the script's end runs nothing: the container ends with code 0, or with
    the usage of a wrapper such as gosu.

    A script counts that hands its arguments on and has no program in their place. With exit code 0
    the container has to be one that should stay: its restart policy says so, or it publishes a
    port.
    """
    for lost in lost_commands:
        yield _finding(lost)


def _finding(lost: LostCommand) -> Finding:
    container = lost.container
    entrypoint = " ".join(container.config.entrypoint or ())
    return Finding.about(
        container,
        f"{container} has nothing to run: its entrypoint {lost.script} removed the image's command "
        f'"{shortened(lost.command, SHOWN)}"',
        {
            "Config.Entrypoint": shortened(entrypoint, SHOWN),
            "Config.Cmd": "none",
            "the image's Cmd": shortened(lost.command, SHOWN),
            f"{lost.script} ends with": "its arguments",
        },
        onset=container.failed_first,
        recheck=container.caller_runs,
        variables={"command": lost.command, **compose_variables(container)},
    )
