"""Ends with exit code 0 of programs whose log says what went wrong. Pure."""

from diagnose.evidence.containers.ends.background_starts import starts_in_background
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.programs.closed_input import awaits_input, is_bare_shell


def ended_quietly(container: Container, tail: LogTail) -> bool:
    """Whether a server exited with code 0, although its last lines explain a failure.

    Start scripts and supervisors lose the exit code of the program. A job publishes no ports, and
    one with the policy on-failure ends with 0.
    """
    if container.state.status != "exited" or container.state.exit_code != 0:
        return False
    is_server = bool(container.wanted_ports) and not container.was_watched
    if not is_server or container.host_config.restart_policy.name == "on-failure":
        return False
    lacks_terminal = is_bare_shell(container) or awaits_input(container, tail)
    is_explained = tail.explains and tail.has_complaint
    return is_explained and not lacks_terminal and not starts_in_background(container)
