"""A container's variable that a program inside does not get, because its parent drops it."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError
from diagnose.evidence.containers.settings.named.named_settings import missing_variable
from diagnose.evidence.machine.processes import Processes

TO_CRON = "tr '\\0' '\\n' </proc/1/environ >>/etc/environment"
"""Debian's cron reads this file before each job, by PAM."""
_TO_PHP = (
    "pools=$(ls -d /usr/local/etc/php-fpm.d /etc/php*/php-fpm.d /etc/php/*/fpm/pool.d /etc/php-fpm.d "
    "2>/dev/null | head -n 1) && printf '%s\\n' '[www]' 'clear_env = no' >\"$pools/zz-env.conf\" && "
    "kill -USR2 1"
)


class Unpassed(msgspec.Struct, frozen=True):
    """The parent that starts the program, and how it treats the container's variables."""

    variable: str
    why: str
    """The reason why the variable is missing, as the end of a sentence."""
    steps: dict[str, str]


def unpassed_variable_of(error: RepeatedError, processes: Processes | None) -> Unpassed | None:
    """The variable that a repeated line reports as missing although the container has it.

    None where nothing that drops variables runs in the container.
    """
    container = error.container
    failure = error.failure
    if failure is None or processes is None:
        return None
    variable = missing_variable(container, failure)
    if not variable or not container.config.sets(variable):
        return None
    commands = processes.names_inside(container.id)
    if "cron" in commands:
        why = "cron passes none of the container's variables to its jobs"
        return Unpassed(variable, why, {"scheduling": container.name, "hand_over": TO_CRON})
    if _is_php_first(container, processes):
        why = "php-fpm clears the variables of its workers (clear_env)"
        return Unpassed(variable, why, {"clearing": container.name, "keep_variables": _TO_PHP})
    return None


def _is_php_first(container: Container, processes: Processes) -> bool:
    first = processes.by_pid.get(container.state.pid)
    return first is not None and first.comm.startswith("php-fpm")
