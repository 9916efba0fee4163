"""container.command-ignored: the start script of an image does not run the container's command."""

from diagnose.evidence.containers.programs.ignored_commands import IgnoredCommand, IgnoredCommands
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import shortened
from diagnose.registry import check

SHOWN = 100


@check("container.command-ignored", severity=Severity.warning)
def command_ignored(ignored_commands: IgnoredCommands) -> CheckResult:
    """A container does not run its command: its image's start script ignores it.

    A worker or a scheduler gets the image of the web server and a command of its own. The image's
    entrypoint is in the shell form, or a script that never mentions its arguments: it starts the
    web server once more, the container is up, and no job is done. Only shell scripts are judged,
    and none that reads another one. A command that is the image's own is left out.
    """
    for ignored in ignored_commands:
        yield _finding(ignored)


def _finding(ignored: IgnoredCommand) -> Finding:
    container = ignored.container
    script = ignored.script
    ignorer = "ENTRYPOINT of its image, a shell's line,"
    if script:
        ignorer = f"start script {script} of its image"
    entrypoint = " ".join(container.config.entrypoint or ())
    return Finding.about(
        container,
        f'{container} does not run its command "{shortened(ignored.command, SHOWN)}": {ignorer} ignores it'
        + (f' and starts "{shortened(ignored.starts, SHOWN)}"' if ignored.starts else ""),
        {
            "Config.Cmd": shortened(ignored.command, SHOWN),
            "Config.Entrypoint": shortened(entrypoint, SHOWN),
            "processes": "none has a name that is a word of the command",
        },
        recheck=(container.run,),
        variables={"command": ignored.command},
    )
