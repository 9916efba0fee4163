"""Options of `docker run` that stand behind the image's name, and so became the command. Pure."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.misplaced_options import leading_options


def options_in_command(container: Container, tail: LogTail) -> tuple[str, ...]:
    """The options at the begin of the command, where the program complains of one of them.

    Each is one word with a long name: `--publish=8080:80`.
    """
    words = container.config.cmd or []
    options, _ = leading_options(words)
    telling = tail.telling
    if not options or telling is None:
        return ()
    said = set(telling.whole.replace("'", " ").replace('"', " ").split())
    return options if said & {word for word in words if word.startswith("-")} else ()
