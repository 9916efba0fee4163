"""Programs that end at once because nobody types into them. Pure."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.lazy_pattern import LazyPattern
from diagnose.word_sets import vocabulary

_SHELLS = vocabulary("ash bash dash ghci irb jshell julia node python python3 sh zsh")
"""Programs that read commands from their input where they are given none."""
_ENDS_WITH_INPUT = LazyPattern(
    r"\breact-scripts start\b|^Starting the development server"
    r"|\b[Pp]ress (?:\[?(?:Enter|ENTER|enter|Return|return)\]?|any key|Ctrl[-+][DZ])"
    r" to (?:stop|exit|quit|end|continue|terminate|shut ?down)\b"
    r"|\b[Tt]ype ['\"`]?(?:exit|quit|stop)['\"`]? (?:and press \w{2,8} )?to (?:stop|exit|quit|leave)\b"
)
"""facebook/create-react-app#8688: from 3.4.1 on it ends with exit code 0 when its input does.

Others say that they wait for a key; lux032/MusicAutoTagger#2.
"""


def is_bare_shell(container: Container) -> bool:
    """Whether a container runs a shell or an interpreter without a script and a terminal.

    Its input is at its end at once, and so is the program.
    """
    is_alone = len(container.command) == 1
    return is_alone and container.program in _SHELLS and not container.config.tty


def awaits_input(container: Container, tail: LogTail) -> bool:
    """Whether a program ends because its input is closed, as the server of react-scripts does."""
    is_closed = not container.config.tty and not container.config.open_stdin
    return is_closed and any(_ENDS_WITH_INPUT.search(line) for line in tail.lines)
