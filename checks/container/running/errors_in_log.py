"""container.errors-in-log: a running container repeats an error that no other check knows."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from checks.container.first_steps.needed_options import needed_options
from checks.container.first_steps.row_steps import row_steps
from checks.container.first_steps.running_steps import cut_off_steps, running_steps
from checks.container.first_steps.server_steps import server_of
from checks.container.helpers import setting_evidence
from checks.container.peers.unknown_names import VARIABLE, stray_evidence, stray_variables
from checks.container.settings.unpassed_variable import Unpassed, unpassed
from diagnose.error_signatures import signs
from diagnose.evidence.containers.devices.asked import AskedDevices
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.lone_failures import is_worker
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.peers.stray_calls import strays_by
from diagnose.evidence.containers.settings.named_settings import (
    NamedSetting,
    named_setting,
    only_file,
)
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.local_authorities import BUNDLE, LocalAuthorities
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.calls.logged_failures import place_in
from diagnose.evidence.network.networks import Networks
from diagnose.mappings import only, present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import sentence, shortened
from diagnose.programs.migrations import migration_of
from diagnose.registry import check

SHOWN = 160
"""Characters of the line in the finding's sentence."""
MOSTLY = 0.5
"""The share of the last lines from which on it does so to most of its callers. Below, scanners of
the Internet may be those whom it refuses, unless no line comes more often and none mentions a
request that went well."""

_FAILED_CALL = frozenset({"refused", "timeout", "unreachable"})
"""Error signatures of a call that found nobody."""
_FASTCGI = "FastCGI sent in stderr"
"""nginx's words before what it got from the program behind it."""
_UPSTREAM = " to upstream, "
"""nginx's words of a request that it could not pass on."""
_WORKS = ("logs errors while it works", "log errors while they work")
"""What is said of programs whose repeated line is about one request or one item."""


@check(
    "container.errors-in-log",
    severity=Severity.advice,
    caused_by=("container.mount-forbidden",),
    aloud=("repeats an error in its log", "repeat errors in their logs"),
    observed=True,
)
def errors_in_log(
    repeated_errors: RepeatedErrors,
    containers: Containers | None,
    networks: Networks | None,
    info: Info | None,
    processes: Processes | None,
    asked_devices: AskedDevices | None,
    numbers: UserNumbers | None,
    local_authorities: LocalAuthorities | None,
) -> CheckResult:
    """A running container repeats an error in its log.

    Its program continues, and nothing else is wrong that this tool can see. Only the program's
    author knows whether its users notice. It is a warning where the line is known to mean that the
    program turns its callers away, waits for a migration of its database, calls a name of its
    settings that no container has, or misses a variable that its container has and cron or php-fpm
    does not pass on. The last twelve lines of the last five
    minutes are read, or sixty where the log is busy or a stack trace fills them. A line about a
    stranger on the internet who was turned away is no error, and an error that no longer appears is
    over. Where the program works all the same, and the line is about one request or one item, the
    report stays calm. Where the program prints nothing else, and is a worker or depends on what
    fails, the report does not stay calm if it has no other problem that may explain the line.
    """
    for error in repeated_errors:
        if _is_copy(error, repeated_errors):
            continue
        dropped = unpassed(error, processes)
        own = _server_variables(error, repeated_errors, containers)
        own = own or running_steps(error, containers, networks)
        strays = _strays(error, containers)
        authorities = _authorities_for(error, local_authorities)
        refuses = _refuses(error, own) or bool(strays)
        setting = _setting(error)
        option = _option_variables(error, asked_devices, numbers)
        is_lone = _does_nothing_else(error, setting)
        is_clear = refuses or is_lone or bool(option)
        finding = _finding(error, setting, own, dropped, refuses=refuses, is_clear=is_clear)
        finding = replace(finding, is_lone=is_lone)
        if strays and containers is not None:
            nobody = stray_evidence(strays, containers)
            finding = replace(finding, evidence={**finding.evidence, **nobody})
        if authorities is not None:
            added = {"authorities added to this host": list(authorities.files[:5])}
            finding = replace(finding, evidence={**finding.evidence, **added})
        steps = (
            (dropped.steps if dropped is not None else {})
            or _migration_variables(error)
            or _stray_variables(error, strays, containers)
            or own
            or _authority_variables(error, authorities)
            or _row_variables(error, containers, info, refuses=refuses)
            or option
            or _call_variables(error)
            or (setting.variables if setting is not None else {})
            or _place_variables(error)
        )
        yield finding.with_variables(steps)
    return None


def _finding(
    error: RepeatedError,
    setting: NamedSetting | None,
    own: Mapping[str, str],
    dropped: Unpassed | None,
    *,
    refuses: bool,
    is_clear: bool,
) -> Finding:
    """own: what the row of the known failure offers. refuses: whether callers are turned away.

    is_clear: whether what the line means is known to be so here.
    """
    is_aside = error.is_aside and setting is None and dropped is None
    return Finding.about(
        error.container,
        f"{error.container} {_line_or_meaning(error, own, dropped, is_clear=is_clear)}",
        {
            "log": error.line.whole,
            **_meaning(error, dropped),
            **setting_evidence(setting),
            "how often": _often(error),
        },
        severity=Severity.warning if dropped or refuses else Severity.advice,
        stable=(error.container.life,),
        signs=signs(error.line.whole) or None,
        aside=_WORKS if is_aside else None,
    )


def _strays(error: RepeatedError, containers: Containers | None) -> Mapping[str, str]:
    """The name in its settings that nobody has, where the program prints little but that.

    One that works all the same does without.
    """
    is_all = error.times >= MOSTLY * error.of and not (error.serves or error.works)
    if containers is None or not is_all:
        return {}
    strays = strays_by(error.failure, error.container, containers)
    return {name: place for name, place in strays.items() if place.startswith(VARIABLE)}


def _stray_variables(
    error: RepeatedError, strays: Mapping[str, str], containers: Containers | None
) -> PageVariables:
    """The variable with the name of the neighbour that is meant, where that is known."""
    if not strays or containers is None:
        return {}
    steps = stray_variables(strays, error.container, containers, None)
    return {name: text for name, text in steps.items() if name == "assignment"}


def _authorities_for(
    error: RepeatedError, authorities: LocalAuthorities | None
) -> LocalAuthorities | None:
    """The host's own authorities, for a program that does not know one and has its image's file."""
    is_distrusting = error.failure is not None and error.failure.name == "certificate-untrusted"
    if not is_distrusting or authorities is None or not authorities.files:
        return None
    return authorities if error.container.mount_at(BUNDLE) is None else None


def _authority_variables(
    error: RepeatedError, authorities: LocalAuthorities | None
) -> PageVariables:
    """The host's file of authorities, for the program's container."""
    if authorities is None:
        return {}
    return {"distrusting": error.container.name, "authorities": authorities.mount}


def _is_copy(error: RepeatedError, repeated_errors: RepeatedErrors) -> bool:
    """Whether a web server repeats what the program of PHP behind it prints itself."""
    if error.failure is None or _FASTCGI not in error.line.whole:
        return False
    behind = {peer.id for _, peer in error.peers}
    return any(
        other.container.id in behind
        and other.failure is not None
        and other.failure.name == error.failure.name
        for other in repeated_errors
    )


def _migration_variables(error: RepeatedError) -> PageVariables:
    """The command that brings the program's database to its code, where the line asks for that."""
    return present({"migration": migration_of(error.failure, error.lines)})


def _server_variables(
    error: RepeatedError, repeated_errors: RepeatedErrors, containers: Containers | None
) -> PageVariables:
    """The server that the line is about, and the master that its own log misses."""
    server = server_of(error.container, error.failure, containers)
    return server | cut_off_steps(server.get("replica", ""), repeated_errors)


def _row_variables(
    error: RepeatedError, containers: Containers | None, info: Info | None, *, refuses: bool
) -> PageVariables:
    """What the known failure's own remedy needs.

    Nothing where it turns few callers away: scanners ask for any host name and any upload.
    """
    failure = error.failure
    if failure is not None and failure.failure.turns_away and not refuses:
        return {}
    return row_steps(error.container, failure, containers, is_running=True, info=info)


def _option_variables(
    error: RepeatedError, asked_devices: AskedDevices | None, numbers: UserNumbers | None
) -> PageVariables:
    """The one option without which the program continues and does a part of its work.

    All rights are nothing to give a program that works without them.
    """
    failure = error.failure
    if failure is None:
        return {}
    options = needed_options(error.container, failure, asked_devices, numbers)
    option = only(options) or "--privileged"
    return {} if option == "--privileged" else {"needed_option": option}


def _call_variables(error: RepeatedError) -> PageVariables:
    """The one running container that a failed call of the line was for."""
    running = {peer.name for _, peer in error.peers if peer.is_running}
    is_call = bool(signs(error.line.whole) & _FAILED_CALL)
    return present({"callee": only(running)}) if is_call else {}


def _place_variables(error: RepeatedError) -> PageVariables:
    """The host and port of a failed call, where the line names both."""
    host, port = place_in(error.line.whole)
    is_call = bool(signs(error.line.whole) & _FAILED_CALL)
    is_elsewhere = is_call and host and port and not is_loopback(host)
    return {"called": host, "port": str(port)} if is_elsewhere else {}


def _setting(error: RepeatedError) -> NamedSetting | None:
    """The setting that the line names, or the one mounted file in which its cure is made."""
    cure = error.failure.cure if error.failure is not None else ""
    return named_setting(error.container, error.line) or only_file(error.container, cure)


def _refuses(error: RepeatedError, steps: Mapping[str, str]) -> bool:
    """Whether the program is known to turn its callers away, and prints little else.

    One that waits for a migration does so whatever else it prints.
    """
    failure = error.failure
    if failure is None:
        return False
    is_alone = error.times >= error.most and not error.serves
    is_most = is_alone or error.times >= MOSTLY * error.of
    if migration_of(failure, error.lines):
        return is_most or failure.name == "data-older"
    return is_most and (failure.failure.turns_away or "scripts" in steps)


def _does_nothing_else(error: RepeatedError, setting: NamedSetting | None) -> bool:
    """Whether the program's work fails, and not one of the many things that a server does.

    A worker has no other work. A server depends on a neighbour, on what a variable of its own
    gives, and on its files; a proxy depends on its upstream.
    """
    line_signs = signs(error.line.whole)
    calls_neighbour = bool(error.peers) and bool(line_signs & _FAILED_CALL)
    is_configured = setting is not None and bool(setting.variable)
    is_proxy = _UPSTREAM in error.line.whole
    depends = calls_neighbour or is_configured or is_proxy or "permission" in line_signs
    return error.is_alone and (is_worker(error.container) or depends)


def _line_or_meaning(
    error: RepeatedError, steps: Mapping[str, str], dropped: Unpassed | None, *, is_clear: bool
) -> str:
    """The line, or what it means where that is clear; and who is behind its addresses."""
    often, failure = _often(error), error.failure
    if dropped is not None:
        lacks = f"a program in it does not get the container's variable {dropped.variable}"
        return sentence(f"runs, but {lacks} ({often})", dropped.why)
    behind = [f"{address} is {peer}" for address, peer in error.peers]
    if "scripts" in steps:
        behind.append(f'container "{steps["scripts"]}" does not have {steps["scripts_at"]}')
    if "cut_off" in steps:
        master = f"a replica of {steps['master']}, which does not answer"
        behind.append(f'container "{steps["cut_off"]}" is {master}')
    if failure is not None and is_clear:
        return sentence(f"runs, but {failure.cause} ({often})", *behind)
    return sentence(f"repeats an error ({often}): {shortened(error.line.text, SHOWN)}", *behind)


def _often(error: RepeatedError) -> str:
    return f"{error.times} of its last {error.of} lines"


def _meaning(error: RepeatedError, dropped: Unpassed | None) -> dict[str, object]:
    """What the line means and what fixes it, where the failure is known."""
    if error.failure is None or dropped is not None:
        return {}
    return {"this means": error.failure.cause, "what fixes it": error.failure.cure}
