"""container.command-without-shell: the part behind `&&` in a command is never run."""

import posixpath
import shlex
from collections.abc import Sequence

from diagnose.evidence.containers.compose.cut_commands import CutCommand, CutCommands
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import shortened
from diagnose.registry import check

OPERATORS = ("&&", "||")
"""Words of a shell that no program takes for an argument."""
SHOWN = 120
_SHELLS = frozenset({"ash", "bash", "dash", "sh", "zsh"})
_HANDS_ON = frozenset({"autossh", "parallel", "ssh", "watch"})
"""Programs that join their last words and give them to a shell, here or on another host."""
_PLAIN = LazyPattern(r"^[\w@%+=:,./$-]+$")
"""Words that a shell takes literally, but for variables."""


@check(
    "container.command-without-shell",
    severity=Severity.warning,
    causes=(
        "container.crashed",
        "container.daemonized",
        "container.exits-at-start",
        "container.restart-loop",
        "container.restarts-exhausted",
    ),
)
def command_without_shell(containers: Containers, cut: CutCommands | None) -> CheckResult:
    """A command has `&&` in it, and no shell that reads it: the rest never runs.

    The exec form of CMD and `docker run` start the first word, and hand it `&&` and all that
    follows as arguments. With `sh -c migrate && serve` the shell gets only the first word. Compose
    cuts a command in one line at the first such sign, so that only its file has the rest; that is
    read for containers that failed or ended, and counts where a shell would have run the rest. It
    is advice where the container runs and was not started again: its first program does its work.
    """
    for command in cut or ():
        yield _cut_finding(command)
    for container in containers:
        words = _words_of_shell(container)
        if words:
            yield _finding(container, words)


def _cut_finding(command: CutCommand) -> Finding:
    container = command.container
    cmd = " ".join(command.container.config.cmd or ())
    return Finding.about(
        container,
        f'{container} runs only "{shortened(cmd, SHOWN)}": compose cuts its command at '
        f'"{command.sign}", and "{shortened(command.rest, SHOWN)}" never runs',
        {
            "command in the compose file": shortened(command.written, 2 * SHOWN),
            "Config.Cmd": shortened(cmd, SHOWN),
            "State": str(container.state),
        },
        variables=_shell_variables(container, command.written),
    )


def _words_of_shell(container: Container) -> Sequence[str]:
    """The words of a command that only a shell can read; empty where there are none.

    The words behind `-c` of a shell are its script, and that is only the first of them.
    """
    words: Sequence[str] = container.config.cmd or container.config.entrypoint or ()
    program = posixpath.basename(words[0]) if words else ""
    if program in _HANDS_ON:
        return ()
    if program in _SHELLS:
        words = words[words.index("-c") + 1 :] if "-c" in words else ()
    has_operator = any(word in OPERATORS for word in words[1:])
    return words if has_operator else ()


def _finding(container: Container, words: Sequence[str]) -> Finding:
    at = next(place for place, word in enumerate(words) if word in OPERATORS)
    first = " ".join(words[:at])
    rest = " ".join(words[at + 1 :])
    works = container.is_running and container.restart_count == 0
    script = " ".join(word if _is_for_shell(word) else shlex.quote(word) for word in words)
    return Finding.about(
        container,
        f'{container} runs only "{shortened(first, SHOWN)}": no shell reads its command, so that '
        f'"{words[at]}" is an argument and "{shortened(rest, SHOWN)}" never runs',
        {
            "Config.Cmd": shortened(str(list(container.config.cmd or ())), 2 * SHOWN),
            **present({"Config.Entrypoint": list(container.config.entrypoint or ())}),
            "State": str(container.state),
        },
        severity=Severity.advice if works else None,
        variables=_shell_variables(container, script),
    )


def _shell_variables(container: Container, script: str) -> PageVariables:
    """The page variables with the command for a shell; empty where a program of the image would get
    it."""
    if container.config.entrypoint:
        return {"split": container.name}
    return {"shell_command": shlex.join(["sh", "-c", script])}


def _is_for_shell(word: str) -> bool:
    return word in OPERATORS or _PLAIN.search(word) is not None
