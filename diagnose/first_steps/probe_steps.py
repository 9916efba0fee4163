"""The variables of the first command for a health check that fails: a better probe, or a start."""

from collections.abc import Mapping

from diagnose.evidence.containers.addresses.host_lists import list_without
from diagnose.evidence.containers.addresses.probe_variables import heard_command
from diagnose.evidence.containers.health_check import NOT_BEGUN, TIMED_OUT, HealthCheck
from diagnose.evidence.containers.logs.passing_failures import PASSING
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.settings.changed_words import with_entry
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import PageVariables

NO_RECORD = "container does not exist"
"""The runtime's error about a running container whose folder in /run is gone. A stop or a restart
then hangs, and the engine with the container (seen on engines 20.10.24 and 28.5.2)."""
_RUNTIME_WORDS = LazyPattern(
    r"(?:exec failed: |unable to start container process: |error executing setns process: )+"
)
"""Words of the runtime before its reason."""
_NO_PIPE = LazyPattern(r"failed to open std(?:in|out|err) fifo: ")
"""containerd's words where the engine's folder for the streams of a command is gone."""
_PATH = LazyPattern(r"(?<![\w/])(?P<path>/(?:run|tmp|sys|var)/[\w./-]{1,200})")
"""A path of the host at which the runtime has failed."""


def probe_steps(
    probe: HealthCheck, tail: LogTail, *, cannot_run: bool, may_restart: bool = True
) -> PageVariables:
    """The page variables of a better probe, or of another start where that may help.

    cannot_run: it fails before it calls the program. may_restart: whether the container has not
    been restarted yet. A server that has answered in the same way since its start needs no restart.
    """
    if has_lost_its_record(probe):
        return {"forgotten": probe.container.name}
    if runtime_refusal(probe):
        return _steps_for_refusal(probe)
    better = _better_probe(probe, cannot_run=cannot_run)
    if better is not None:
        return without_secrets(better)
    objects = bool(tail.lines) and not tail.signs & PASSING
    may_heal = not cannot_run and not probe.unserved_port and not objects
    return {"restarted": probe.container.name} if may_heal and may_restart else {}


def other_probe(probe: HealthCheck, commands: Mapping[str, str]) -> PageVariables:
    """The page variables of a probe with a program that the container has.

    commands: these probes, by the id of the container. None helps where nobody serves the port.
    """
    command = commands.get(probe.container.id, "")
    if not command or probe.unserved_port:
        return {}
    return {"connecting_probe" if probe.lacks_script else "other_probe": command}


def has_lost_its_record(probe: HealthCheck) -> bool:
    """Whether the runtime does not know a container that runs."""
    return NOT_BEGUN in probe.output and NO_RECORD in probe.output


def _steps_for_refusal(probe: HealthCheck) -> PageVariables:
    """The page variables of a probe that the runtime has not started: the path that it names.

    The application has not been asked, and another start changes nothing.
    """
    return present({"unstarted": probe.container.name, "refused_at": path_of_refusal(probe)})


def runtime_refusal(probe: HealthCheck) -> str:
    """The reason for which the runtime or the engine did not start the probe; "" where one did."""
    if probe.exit_code != TIMED_OUT:
        return ""
    if _NO_PIPE.match(probe.output):
        return probe.output.partition("\n")[0]
    if NOT_BEGUN not in probe.output:
        return ""
    words = probe.output.partition(NOT_BEGUN)[2].strip(": \n")
    first_line = words.partition("\n")[0]
    return _RUNTIME_WORDS.sub("", first_line).removesuffix(": unknown")


def path_of_refusal(probe: HealthCheck) -> str:
    """The path of the host at which the runtime has failed to start the probe; "" for none."""
    match = _PATH.search(runtime_refusal(probe))
    return match["path"] if match is not None else ""


def _better_probe(probe: HealthCheck, *, cannot_run: bool) -> PageVariables | None:
    """The page variables of a probe that reaches the program; None where the probe is not
    at fault."""
    if probe.whole_command:
        return {"whole_probe": probe.whole_command}
    if probe.proxy and not probe.unserved_port:
        return {"unproxied": probe.command_without_proxy}
    if probe.other_address:
        return {"listens_at": probe.other_address}
    if probe.ipv4_port:
        return {"probe": probe.command_by_ipv4}
    if probe.unserved_port and probe.command_by_port and not cannot_run:
        return {"moved_probe": probe.command_by_port}
    if host := probe.unlisted_host:
        return with_entry(probe.container, [list_without(probe.container, host)], host)
    if probe.has_failed_since_its_start:
        return _steps_for_a_new_probe(probe)
    answers = probe.refused_status or (probe.shown_request and probe.exit_code != TIMED_OUT)
    return _shown_answer(probe) if answers and probe.own_request else None


def _steps_for_a_new_probe(probe: HealthCheck) -> PageVariables | None:
    """The variables of the page for a probe that has not succeeded in this run."""
    if probe.refused_status:
        return present({"start_page": probe.command_at_start_page})
    if probe.shown_request:
        return _shown_answer(probe)
    if probe.longer_timeout:
        return {"longer": probe.longer_timeout}
    heard = heard_command(probe.command)
    is_silent = heard != probe.command or not probe.output.strip()
    if probe.is_for_a_shell and is_silent:
        return {"traced": probe.container.name, "traced_probe": heard}
    return None


def _shown_answer(probe: HealthCheck) -> PageVariables:
    """The page variables of the request whose answer explains the failure.

    A program that answered well for a while, and now reports that it is not well, gives the reason:
    another start ends that answer.
    """
    return {"shown": probe.container.name, "shown_request": probe.own_request}


def without_secrets(variables: PageVariables) -> PageVariables:
    """The commands without a secret, which the page can show whole."""
    return {name: text for name, text in variables.items() if "redacted" not in text}
