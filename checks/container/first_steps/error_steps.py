"""The variables of the first command for an error that a running container repeats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from checks.container.first_steps.certificate_steps import certificate_steps
from checks.container.first_steps.code_steps import line_subject_variables
from checks.container.first_steps.installed_parts import installer_of
from checks.container.first_steps.named_things import named_thing_steps
from checks.container.first_steps.needed_options import needed_options
from checks.container.first_steps.row_steps import row_steps
from checks.container.first_steps.running_steps import cut_off_steps, running_steps
from checks.container.first_steps.server_steps import server_of
from checks.container.peers.unknown_names import VARIABLE, stray_variables
from checks.container.settings.unpassed_variable import Unpassed
from diagnose.error_signatures import FOUND_NOBODY, signs
from diagnose.evidence.containers.devices.asked import AskedDevices
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.lone_failures import is_its_work
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.mounts.host_paths import StrayPath
from diagnose.evidence.containers.mounts.unread_settings import UnreadFiles, UnreadSettings
from diagnose.evidence.containers.peers.network_sharers import absent_sharers
from diagnose.evidence.containers.peers.published_peers import PublishedPeer, publisher_in
from diagnose.evidence.containers.peers.stray_calls import strays_by
from diagnose.evidence.containers.peers.unused_database import unused_database
from diagnose.evidence.containers.settings.named_settings import (
    NamedSetting,
    missing_variable,
    named_setting,
    only_file,
)
from diagnose.evidence.containers.settings.tls_floors import TlsFloor
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.local_authorities import BUNDLE, LocalAuthorities
from diagnose.evidence.network.addresses import is_everywhere, is_itself, is_loopback, with_port
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import PageVariables
from diagnose.phrases import rfc3339
from diagnose.programs.callers import is_about_a_client
from diagnose.programs.migrations import migration_of
from diagnose.programs.php_extensions import missing_extension
from diagnose.programs.steady_words import steady_words

MOSTLY = 0.5
"""The share of the last lines from which on it does so to most of its callers. Below, scanners of
the Internet may be those whom it refuses, unless no line comes more often and none mentions a
request that went well."""

_VARIABLE = "container.variable-missing"
"""The check that compares what a program asks for with the container's variables."""
_SETTLED_S = 20.0
"""A container that was restarted and has run for so many seconds is taken to run."""
_DISPROVED = ("proxy-header-missing",)
"""What a server that answers others has from those who call it: whom it refuses are scanners."""
_OF_PHP_IMAGES = "PHPIZE_DEPS"
"""A variable of the official images of PHP, which have docker-php-ext-install."""
_HTTPS = 443
"""How ports of HTTPS end: 443, 8443."""
_NO_PAGES = frozenset(
    {21, 22, 25, 53, 110, 143, 389, 465, 587, 636, 993, 995, 1433, 1521, 1883, 3306, 5432, 5672}
    | {6379, 8883, 9042, 9092, 11211, 27017}
)
"""Ports of servers that do not speak HTTP."""
_UPSTREAM = " to upstream, "
"""nginx's words of a request that it could not pass on."""


class ErrorCase(msgspec.Struct, frozen=True):
    """An error that a running container repeats, and what the host knows about it."""

    error: RepeatedError
    remedy: PageVariables
    """What the row of the known failure offers for a program that runs on."""
    unpassed: Unpassed | None
    """The variable that the container has and its program does not get."""
    strays: Mapping[str, str]
    """Names in the container's settings that nobody has, and the place of each."""
    authorities: LocalAuthorities | None
    """Those of this host, for a program that does not know one of them."""
    setting: NamedSetting | None
    """What the line names, or the one mounted file in which the cure is made."""
    option: PageVariables
    """The option that the program was not given, for a part of its work."""
    server: PublishedPeer | None = None
    """The place whose certificate the program does not take, and who publishes it on this host."""
    floor: TlsFloor | None = None
    """What the container's OpenSSL refuses, where the line is about an older peer."""
    unread: UnreadSettings | None = None
    """The mounted settings that it does not read, where the image's own have it call itself."""
    absent: Container | None = None
    """The one container that shares its network, which it calls as localhost, and does not run."""
    unused: Container | None = None
    """The database that it depends on and does not call: it has a file of SQLite instead."""
    stray_path: StrayPath | None = None
    """The path in its line that its mounts do not hold."""

    @property
    def extension(self) -> str:
        """The extension of PHP that is missing, "" where it is not known or not about PHP."""
        return missing_extension(self.error.failure, self.error.lines)

    @property
    def unset(self) -> str:
        """The variable that the line asks for and the container does not have; "" for none."""
        failure, config = self.error.failure, self.error.container.config
        if failure is None or failure.confirmed_by != _VARIABLE:
            return ""
        name = missing_variable(self.error.container, failure)
        return "" if config.sets(name) else name

    @property
    def has_no_network(self) -> bool:
        """Whether it has no network, and most of what it prints is that a name does not resolve.

        network.calls-failing says it of calls to an address.
        """
        error = self.error
        is_cut_off = error.container.host_config.network_mode == "none"
        is_call = "dns" in signs(error.line.whole)
        return is_cut_off and is_call and error.times >= MOSTLY * error.of

    @property
    def turns_callers_away(self) -> bool:
        """Whether most of its callers get nothing from the program."""
        is_known = _refuses(self.error, self.remedy)
        is_elsewhere = self.unread is not None or self.unused is not None
        return is_known or bool(self.strays) or is_elsewhere

    @property
    def does_nothing_else(self) -> bool:
        """Whether the program's work fails, and not one of the many things that a server does.

        A worker has no other work, where it is not somebody else whom it misses. A server depends
        on a neighbour, on what a variable of its own gives, and on its files; a proxy depends on
        its upstream. What is known to mean a fault of its own is why it does not work.
        """
        error = self.error
        line_signs = signs(error.line.whole)
        calls_neighbour = bool(error.peers) and bool(line_signs & FOUND_NOBODY)
        is_configured = self.setting is not None and bool(self.setting.variable)
        is_proxy = _UPSTREAM in error.line.whole
        calls_somebody = calls_neighbour or is_configured or is_proxy
        depends = calls_somebody or "permission" in line_signs
        is_all = error.is_alone and (depends or is_its_work(error.container, error.complaints))
        return is_all or error.is_known_fault


def first_step(case: ErrorCase, containers: Containers | None, info: Info | None) -> PageVariables:
    """The variables for one command: those of the surest remedy that there is."""
    return next(filter(None, _remedies(case, containers, info)), {})


def _remedies(
    case: ErrorCase, containers: Containers | None, info: Info | None
) -> Iterator[PageVariables]:
    """What may be done, the surest remedy first; a remedy that does not fit is empty."""
    error = case.error
    if case.has_no_network:
        yield {"unconnected": error.container.name}
    yield case.unpassed.steps if case.unpassed is not None else {}
    yield {"place": case.unread.place} if case.unread is not None else {}
    yield {"absent": case.absent.name} if case.absent is not None else {}
    yield {"missing": case.unset} if case.unset else {}
    yield {"floor_file": case.floor.path} if case.floor is not None else {}
    yield _path_variables(case)
    yield present({"migration": migration_of(error.failure, error.lines)})
    yield _stray_variables(case, containers)
    yield case.remedy
    yield _authority_variables(case)
    yield _row_variables(case, containers, info)
    yield case.option
    yield _extension_variables(case)
    yield present({"installer": installer_of(error.failure)})
    yield _call_variables(error)
    yield certificate_steps(error.container, error.failure, containers)
    yield _named_steps(case)
    yield case.setting.variables if case.setting is not None else {}
    yield line_subject_variables(error.container, error.failure, error.line.whole)
    yield _place_variables(error)
    yield _service_variables(error)
    yield present({"own_log": f"{error.container.name}:{error.path}" if error.path else ""})
    yield _unexplained_variables(error, containers)


def _path_variables(case: ErrorCase) -> PageVariables:
    """The path of the host in the program's settings, and the container's own for it."""
    stray = case.stray_path
    return {"host_path": stray.path, "own_path": stray.inside} if stray and stray.inside else {}


def remedy_of(
    error: RepeatedError,
    repeated_errors: RepeatedErrors,
    containers: Containers | None,
    networks: Networks | None,
) -> PageVariables:
    """What is done to the server that the line is about, or to the master that its own log misses;
    otherwise to the program itself."""
    server = server_of(error.container, error.failure, containers)
    cut_off = cut_off_steps(server.get("replica", ""), repeated_errors)
    return server | cut_off or running_steps(error, containers, networks)


def server_behind(
    error: RepeatedError, containers: Containers | None, links: Interfaces | None
) -> PublishedPeer | None:
    """Who shows the certificate that the line is about, where that is a container of this host."""
    is_of_certificate = error.failure is not None and error.failure.name.startswith("certificate-")
    if not is_of_certificate or containers is None or links is None:
        return None
    return publisher_in(error.line.whole, error.container, containers, links)


def strays_of(error: RepeatedError, containers: Containers | None) -> Mapping[str, str]:
    """The name in its settings that nobody has, where the program prints little but that.

    One that works all the same does without.
    """
    is_all = error.times >= MOSTLY * error.of and not (error.serves or error.works)
    if containers is None or not is_all:
        return {}
    strays = strays_by(error.failure, error.container, containers)
    return {name: place for name, place in strays.items() if place.startswith(VARIABLE)}


def authorities_for(
    error: RepeatedError, authorities: LocalAuthorities | None
) -> LocalAuthorities | None:
    """The host's own authorities, for a program that does not know one and has its image's file."""
    is_distrusting = error.failure is not None and error.failure.name == "certificate-untrusted"
    if not is_distrusting or authorities is None or not authorities.files:
        return None
    return authorities if error.container.mount_at(BUNDLE) is None else None


def unread_by(error: RepeatedError, files: UnreadFiles | None) -> UnreadSettings | None:
    """The settings that a program does not read, where its line says that it calls itself."""
    host, _ = place_in(error.line.whole)
    return files.of(error.container) if files is not None and is_itself(host) else None


def absent_by(
    error: RepeatedError, containers: Containers | None, clock: Clock | None
) -> Container | None:
    """The one that does not run, of the containers for which localhost is the same place."""
    is_of_loopback = error.failure is not None and error.failure.name.startswith("loopback-")
    if not is_of_loopback or containers is None or clock is None:
        return None
    return only([*absent_sharers(error.container, containers, clock, _SETTLED_S)])


def unused_by(error: RepeatedError, containers: Containers | None) -> Container | None:
    """The database beside a program that lacks a table in a file of its own."""
    is_about_tables = error.failure is not None and error.failure.name == "table-missing"
    if not is_about_tables or containers is None:
        return None
    return unused_database(error.lines, error.container, containers)


def setting_of(error: RepeatedError) -> NamedSetting | None:
    """The setting that the line names, or the one mounted file in which its cure is made."""
    cure = error.failure.cure if error.failure is not None else ""
    return named_setting(error.container, error.line) or only_file(error.container, cure)


def option_for(
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


_IS_NO_ERROR = LazyPattern(r"^(?:\S{1,40} ){0,3}\[?(?:DEBUG|INFO)\b|\blevel=(?:debug|info)\b")
"""The level that a program itself gives a line, whatever it quotes behind it."""


def _refuses(error: RepeatedError, remedy: PageVariables) -> bool:
    """Whether the program is known to turn its callers away, and prints little else.

    One that waits for a migration does so whatever else it prints. A replica that somebody tries to
    write to is well, and so is a program that calls a refusal no error.
    """
    failure = error.failure
    if failure is None or (failure.name in _DISPROVED and error.serves):
        return False
    if _IS_NO_ERROR.search(error.line.whole) or is_about_a_client(error.line.whole):
        return False
    is_alone = error.ends_pages or (error.times >= error.most and not error.serves)
    is_most = is_alone or error.times >= MOSTLY * error.of
    if migration_of(failure, error.lines):
        return is_most or failure.name == "data-older"
    return is_most and (failure.failure.turns_away or "scripts" in remedy)


def _stray_variables(case: ErrorCase, containers: Containers | None) -> PageVariables:
    """The variable with the name of the neighbour that is meant, where that is known."""
    if not case.strays or containers is None:
        return {}
    steps = stray_variables(case.strays, case.error.container, containers, None)
    return {name: text for name, text in steps.items() if name == "assignment"}


def _authority_variables(case: ErrorCase) -> PageVariables:
    """The host's file of authorities, for the program's container."""
    if case.authorities is None:
        return {}
    return {"distrusting": case.error.container.name, "authorities": case.authorities.mount}


def _row_variables(
    case: ErrorCase, containers: Containers | None, info: Info | None
) -> PageVariables:
    """What the known failure's own remedy needs.

    Nothing where it turns few callers away: scanners ask for any host name and any upload.
    """
    failure = case.error.failure
    if failure is not None and failure.failure.turns_away and not case.turns_callers_away:
        return {}
    return row_steps(case.error.container, failure, containers, is_running=True, info=info)


def _extension_variables(case: ErrorCase) -> PageVariables:
    """The extension, for an image of PHP that brings the tool which adds it."""
    has_tool = case.error.container.config.sets(_OF_PHP_IMAGES)
    return {"php_extension": case.extension} if case.extension and has_tool else {}


def _call_variables(error: RepeatedError) -> PageVariables:
    """The one running container that a failed call of the line was for."""
    running = {peer.name for _, peer in error.peers if peer.is_running}
    is_call = bool(signs(error.line.whole) & FOUND_NOBODY)
    return present({"callee": only(running)}) if is_call else {}


def _named_steps(case: ErrorCase) -> PageVariables:
    """What the line names, where that is no variable and no option of the container."""
    setting = case.setting
    if setting is not None and not setting.path and not setting.folder:
        return {}
    return named_thing_steps(case.error.container, case.error.line.whole)


def _service_variables(error: RepeatedError) -> PageVariables:
    """The address at which the container serves pages, as the host calls it."""
    for binding in error.container.published_by("tcp"):
        if binding.number not in _NO_PAGES and binding.host_port:
            scheme = "https" if binding.number % 1000 == _HTTPS else "http"
            host = "127.0.0.1" if is_everywhere(binding.host_ip) else binding.host_ip
            return {"served": f"{scheme}://{with_port(host, binding.host_port)}"}
    return {}


def _place_variables(error: RepeatedError) -> PageVariables:
    """The host and port of a failed call, where the line names both."""
    host, port = place_in(error.line.whole)
    if not (host and port) or is_loopback(host):
        return {}
    is_call = bool(signs(error.line.whole) & FOUND_NOBODY)
    return {"called": host, "port": str(port)} if is_call else {}


_AROUND_S = 3
"""So many seconds before and after a line its cause may stand in another container's log."""
_MOST_NEIGHBOURS = 8


def _unexplained_variables(error: RepeatedError, containers: Containers | None) -> PageVariables:
    """What is asked where the line names nothing: what the containers on its networks wrote at the
    same moment, or else the words by which the line is counted over the hours."""
    counted = present({"repeated": steady_words(error.line.text, error.lines)})
    beside = containers.beside(error.container) if containers is not None else []
    running = [other.name for other in beside if other.is_running][:_MOST_NEIGHBOURS]
    if not running or not error.last_at:
        return counted
    return {
        "neighbours": " ".join(running),
        "around_from": rfc3339(int(error.last_at) - _AROUND_S),
        "around_to": rfc3339(int(error.last_at) + _AROUND_S),
        **counted,
    }
