"""Commands that start a server in the background, and options that keep it in the foreground."""

import shlex

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_FOREGROUND = {
    "nginx": ["-g", "daemon off;"],
    "apache2ctl": ["-D", "FOREGROUND"],
    "apachectl": ["-D", "FOREGROUND"],
    "httpd": ["-D", "FOREGROUND"],
    "php-fpm": ["-F"],
    "redis-server": ["--daemonize", "no"],
    "crond": ["-f"],
    "cron": ["-f"],
    "sshd": ["-D"],
}
"""The option that keeps a server in the foreground, by the name of its program."""
_BACKGROUND = LazyPattern(
    r"\bservice \S{1,100} (?:re)?start\b|\b(?:apachectl|apache2ctl|httpd|nginx)\b(?!.{0,999}(?:-D ?FOREGROUND"
    r"|daemon off))"
    r"|--daemon(?:ize)?(?:[= ]yes)?\b"
    r"|/etc/init\.d/\S{1,100} start\b|\bphp-fpm\d*\b(?!.{0,999}(?:-F|--nodaemonize))|\bpm2 start\b|\bnohup\b"
    r"|&\s*$"
)
"""Commands that start a server in the background."""


def starts_in_background(container: Container) -> bool:
    """Whether a container's command, or its server, is known to leave the foreground."""
    option = _FOREGROUND.get(container.program)
    is_server = option is not None and not set(option) <= set(container.command)
    return is_server or _BACKGROUND.search(" ".join(container.command)) is not None


def foreground_variables(container: Container) -> PageVariables:
    """The variable with the command that keeps a well-known server in the foreground.

    Empty where the container's own command does not call the server.
    """
    words = container.command
    name = container.program
    is_busybox = name == "httpd" and "-p" in words
    option = ["-f"] if is_busybox else _FOREGROUND.get(name)
    if option is None or container.config.entrypoint:
        return {}
    return {"foreground": shlex.join([*words, *option])}
