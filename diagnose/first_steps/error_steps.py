"""The variables of the first command for an error that a running container repeats."""

import re
from collections.abc import Iterator

from diagnose.error_signatures import FOUND_NOBODY, signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError
from diagnose.evidence.containers.mounts.access.paths_of_host import is_kept_closed
from diagnose.evidence.containers.peers.unknown_names import stray_variables
from diagnose.evidence.network.addresses import is_everywhere, is_loopback, with_port
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.first_steps.error_case import ErrorCase
from diagnose.first_steps.installed_parts import installer_of
from diagnose.first_steps.looks.subject_looks import OF_DATA, running_look
from diagnose.first_steps.named.certificate_steps import certificate_steps
from diagnose.first_steps.named.code_steps import line_subject_variables
from diagnose.first_steps.named.named_things import named_thing_steps
from diagnose.first_steps.rows.row_steps import row_steps
from diagnose.first_steps.value_corrections import corrected_value
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import PageVariables
from diagnose.phrases import rfc3339
from diagnose.programs.failures.recognition import ABOUT_SETTINGS
from diagnose.programs.migrations import migration_of
from diagnose.programs.steady_words import steady_words

_OF_PHP_IMAGES = "PHPIZE_DEPS"
"""A variable of the official images of PHP, which have docker-php-ext-install."""
_HTTPS = 443
"""Ends of the numbers of HTTPS ports: 443, 8443."""
_OF_LOGINS = LazyPattern(
    r"\b(?:401|403|unauthori[sz]ed|forbidden|tokens?|jwt|issuer|audience|log-?in|credentials?)\b",
    re.IGNORECASE,
)
"""Words of lines about callers who are not let in."""
_NO_PAGES = frozenset(
    {21, 22, 25, 53, 110, 143, 389, 465, 587, 636, 993, 995, 1433, 1521, 1883, 3306, 5432, 5672}
    | {6379, 8883, 9042, 9092, 11211, 27017}
)
"""Ports of servers that do not speak HTTP."""


def first_step(case: ErrorCase) -> PageVariables:
    """The variables for one command: those of the surest remedy that there is."""
    return next(filter(None, _remedies(case)), {})


def _remedies(case: ErrorCase) -> Iterator[PageVariables]:
    """The page variables of each remedy, the surest first; those of a remedy that does not fit
    are empty."""
    error = case.error
    containers = case.around.containers
    if case.has_no_network:
        yield {"unconnected": error.container.name}
    yield case.unpassed.steps if case.unpassed is not None else {}
    yield {"place": case.unread.place} if case.unread is not None else {}
    yield {"absent": case.absent.name} if case.absent is not None else {}
    yield {"missing": case.unset} if case.unset else {}
    yield present({"own_probe": case.nameless.probe})
    yield {"floor_file": case.floor.path} if case.floor is not None else {}
    yield {"down_server": case.spoken.container.name} if case.spoken is not None else {}
    yield _refused_variables(case)
    yield _mapping_variables(case)
    yield _prefix_variables(case)
    yield _path_variables(case)
    yield present({"migration": migration_of(error.failure, error.lines)})
    yield _stray_variables(case)
    yield case.remedy
    yield _authority_variables(case)
    yield _row_variables(case)
    yield case.option
    yield _extension_variables(case)
    yield present({"installer": installer_of(error.failure)})
    yield _corrected_variables(case)
    yield _call_variables(error, containers)
    yield certificate_steps(error.container, error.failure, containers)
    yield _named_steps(case)
    yield _data_look(error, containers)
    yield case.setting.variables if case.setting is not None else {}
    yield line_subject_variables(error.container, error.failure, error.line.whole)
    yield _place_variables(error)
    yield running_look(error.container, error.failure, error.line.whole, containers)
    yield _given_settings(error)
    yield _service_variables(error)
    yield present({"own_log": f"{error.container.name}:{error.path}" if error.path else ""})
    if error.failure is None:
        yield _unexplained_variables(error, containers)
    elif not error.failure.failure.turns_away:
        yield {"configured": error.container.name}


def _refused_variables(case: ErrorCase) -> PageVariables:
    """The page variables of the path that its user may not use, and of the user who should own it.

    Empty where the path is closed to others for a reason.
    """
    refused = case.refused
    if refused is None or is_kept_closed(case.error.container, refused.path, case.around.info):
        return {}
    return {"refused": refused.path, "worker": refused.owner}


def _mapping_variables(case: ErrorCase) -> PageVariables:
    """The page variables that give the program the folder that a download client names."""
    translated = case.translated
    if translated is None:
        return {}
    if not translated.local:
        return {"shared": f"{translated.source}:{translated.remote}"}
    return {"remote": translated.remote, "local": translated.local, "namer": translated.namer.name}


def _path_variables(case: ErrorCase) -> PageVariables:
    """The page variables of the host's path in the program's settings, and of the container's own
    path for it."""
    stray = case.stray_path
    if stray is None or not stray.path_inside:
        return {}
    return {"host_path": stray.path, "own_path": stray.path_inside}


def _prefix_variables(case: ErrorCase) -> PageVariables:
    """The page variables of the called address, and of the one below the path of the server."""
    prefixed = case.prefixed
    if prefixed is None:
        return {}
    return {
        "called_url": prefixed.called,
        "served_url": prefixed.served,
        "served_below": prefixed.prefix,
    }


def _stray_variables(case: ErrorCase) -> PageVariables:
    """The page variables of the variable that should name a neighbour, where that is known."""
    containers = case.around.containers
    if not case.strays or containers is None:
        return {}
    steps = stray_variables(case.strays, case.error.container, containers, None)
    return {name: text for name, text in steps.items() if name == "assignment"}


def _authority_variables(case: ErrorCase) -> PageVariables:
    """The page variables of the host's file of authorities, for the program's container."""
    authorities = case.around.local_authorities
    if case.lacks_list and authorities is not None and authorities.missing_list:
        return {"listless": case.error.container.name, "authorities": authorities.missing_list}
    if case.authorities is None:
        return {}
    return {"distrusting": case.error.container.name, "authorities": case.authorities.mount}


def _row_variables(case: ErrorCase) -> PageVariables:
    """The page variables of the known failure's own remedy.

    Empty where the error turns few callers away: scanners ask for any host name and any upload.
    """
    failure = case.error.failure
    surroundings = case.around
    if failure is not None and failure.failure.turns_away and not case.turns_callers_away:
        return {}
    return row_steps(
        case.error.container,
        failure,
        surroundings.containers,
        is_running=True,
        info=surroundings.info,
    )


def _extension_variables(case: ErrorCase) -> PageVariables:
    """The page variable of the extension, for an image of PHP with the tool that adds it."""
    has_tool = case.error.container.config.sets(_OF_PHP_IMAGES)
    return {"php_extension": case.extension} if case.extension and has_tool else {}


def _corrected_variables(case: ErrorCase) -> PageVariables:
    """The page variables that replace the value to which the line objects by the one that it asks
    for."""
    setting = case.setting
    if setting is None or setting.fault != "value":
        return {}
    return corrected_value(case.error.container, setting.variable, case.error.line.whole)


def _call_variables(error: RepeatedError, containers: Containers | None) -> PageVariables:
    """The page variables of the only running container that a failed call of the line was for.

    The line has its address, or the row of the line has its name.
    """
    called = error.failure.values.get("peer", "") if error.failure is not None else ""
    name, _, port = called.partition(":")
    if name and containers is not None:
        called_peers = containers.called_by(error.container, name)
        running = {peer.name for peer in called_peers if peer.is_running}
        callee = only(running - {error.container.name})
        port = port or str(place_in(error.line.whole).port or "")
        place = f"{callee}:{port}" if callee and port else ""
        return present({"callee": callee, "callee_place": place})
    running = {peer.name for _, peer in error.peers if peer.is_running}
    is_call = bool(signs(error.line.whole) & FOUND_NOBODY)
    return present({"callee": only(running)}) if is_call else {}


def _named_steps(case: ErrorCase) -> PageVariables:
    """The page variables of things that the line names, where the container has no such variable
    and no such option."""
    setting = case.setting
    if setting is not None and not setting.path and not setting.folder:
        return {}
    return named_thing_steps(case.error.container, case.error.line.whole)


def _data_look(error: RepeatedError, containers: Containers | None) -> PageVariables:
    """The page variables that show the data that the row is about: a file that the line names
    holds no settings."""
    failure = error.failure
    if failure is None or failure.failure.look not in OF_DATA:
        return {}
    return running_look(error.container, failure, error.line.whole, containers)


def _given_settings(error: RepeatedError) -> PageVariables:
    """The page variable of the container, where its line means that a setting is missing or cannot
    be read."""
    failure = error.failure
    about = failure.failure.of_running if failure is not None else None
    is_of_script = failure is not None and failure.name == "script-expression"
    return {"configured": error.container.name} if about is ABOUT_SETTINGS or is_of_script else {}


def _service_variables(error: RepeatedError) -> PageVariables:
    """The page variable of the address at which the container serves pages, as the host calls it.

    Empty for a line about logins: the first page needs none.
    """
    if _OF_LOGINS.search(error.line.whole):
        return {}
    for binding in error.container.published_by("tcp"):
        if binding.number not in _NO_PAGES and binding.host_port:
            scheme = "https" if binding.number % 1000 == _HTTPS else "http"
            host = "127.0.0.1" if is_everywhere(binding.host_ip) else binding.host_ip
            return {"served": f"{scheme}://{with_port(host, binding.host_port)}"}
    return {}


def _place_variables(error: RepeatedError) -> PageVariables:
    """The page variables of the host and port of a failed call, where the line names both."""
    host, port = place_in(error.line.whole)
    if not (host and port) or is_loopback(host):
        return {}
    is_call = bool(signs(error.line.whole) & FOUND_NOBODY)
    return {"called": host, "port": str(port)} if is_call else {}


_AROUND_S = 3
"""Seconds before and after a line in which its cause may be in another container's log."""
_MOST_NEIGHBOURS = 8


def _unexplained_variables(error: RepeatedError, containers: Containers | None) -> PageVariables:
    """The page variables for a line that names nothing: the other containers on its networks, to
    read their logs of the same moment, and words by which the line is counted over the hours."""
    counted = present({"repeated": steady_words(error.line.text, error.lines)})
    neighbours = containers.beside(error.container) if containers is not None else []
    running = [other.name for other in neighbours if other.is_running][:_MOST_NEIGHBOURS]
    if not running or not error.last_at:
        return counted
    return {
        "neighbours": " ".join(running),
        "around_from": rfc3339(int(error.last_at) - _AROUND_S),
        "around_to": rfc3339(int(error.last_at) + _AROUND_S),
        **counted,
    }
