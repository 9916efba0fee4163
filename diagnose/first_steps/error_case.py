"""An error that a running container repeats, and what the host knows about it."""

import functools
from collections.abc import Mapping

import msgspec

from diagnose.error_signatures import FOUND_NOBODY, signs
from diagnose.evidence.containers.devices.asked import AskedDevices
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.lone_failures import is_its_work
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.mounts.access.refused_own_paths import (
    RefusedOwnPath,
    RefusedOwnPaths,
)
from diagnose.evidence.containers.mounts.host_paths import StrayPath, stray_path
from diagnose.evidence.containers.mounts.translated_paths import TranslatedPath, translated_path
from diagnose.evidence.containers.mounts.unread_settings import UnreadFiles, UnreadSettings
from diagnose.evidence.containers.peers.issuer_names import provider_of_both
from diagnose.evidence.containers.peers.network_sharers import absent_sharers
from diagnose.evidence.containers.peers.prefixed_peers import PrefixedPeer, prefixed_peer
from diagnose.evidence.containers.peers.published_peers import PublishedPeer, publisher_in
from diagnose.evidence.containers.peers.spoken_peers import SpokenPeer, spoken_peer
from diagnose.evidence.containers.peers.stray_calls import strays_by
from diagnose.evidence.containers.peers.unknown_names import VARIABLE
from diagnose.evidence.containers.peers.unused_database import unused_database
from diagnose.evidence.containers.settings.named.named_settings import (
    NamedSetting,
    missing_variable,
    named_setting,
    only_file,
)
from diagnose.evidence.containers.settings.tls_floors import TlsFloor, TlsFloors
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.containers.variables.unpassed_variable import Unpassed, unpassed_variable_of
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.local_authorities import BUNDLE, LocalAuthorities
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import is_itself
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.first_steps.rows.nameless_clients import NamelessClient, nameless_client
from diagnose.first_steps.rows.needed_options import needed_options
from diagnose.first_steps.rows.running_steps import cut_off_steps, running_steps
from diagnose.first_steps.rows.server_steps import server_of
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import EvidenceGroup, PageVariables
from diagnose.programs.callers import is_about_a_client
from diagnose.programs.migrations import migration_of
from diagnose.programs.php_extensions import missing_extension

MOSTLY = 0.5
"""From this share of the last lines on, the program refuses most of its callers. Below it, these
may be scanners of the Internet, unless no line comes more often and none mentions a request that
went well."""
_VARIABLE = "container.variable-missing"
"""The check that compares what a program asks for with the container's variables."""
_SETTLED_S = 20.0
"""A restarted container that has run for this time is taken to run."""
_DISPROVED = ("proxy-header-missing",)
"""Errors of callers about a server that answers others: the callers that it refuses are scanners.
"""
_UPSTREAM = " to upstream, "
"""nginx's words about a request that it could not pass on."""


class ErrorSurroundings(EvidenceGroup, frozen=True):
    """Evidence that may say why a running container repeats an error; each part can be missing."""

    containers: Containers | None
    networks: Networks | None
    info: Info | None
    processes: Processes | None
    asked_devices: AskedDevices | None
    numbers: UserNumbers | None
    local_authorities: LocalAuthorities | None
    unread_files: UnreadFiles | None
    links: Interfaces | None
    tls_floors: TlsFloors | None
    refused_own_paths: RefusedOwnPaths | None
    clock: Clock | None


class ErrorCase(msgspec.Struct, frozen=True, dict=True):
    """An error that a running container repeats, and what the host knows about it."""

    error: RepeatedError
    repeated_errors: RepeatedErrors
    around: ErrorSurroundings

    @functools.cached_property
    def remedy(self) -> PageVariables:
        """The page variables for the server that the line is about, or for the master that its
        own log misses; otherwise for the program itself."""
        error = self.error
        containers = self.around.containers
        server = server_of(error.container, error.failure, containers)
        cut_off = cut_off_steps(server.get("replica", ""), self.repeated_errors)
        return server | cut_off or running_steps(error, containers, self.around.networks)

    @functools.cached_property
    def unpassed(self) -> Unpassed | None:
        """The variable that the container has and its program does not get."""
        return unpassed_variable_of(self.error, self.around.processes)

    @functools.cached_property
    def strays(self) -> Mapping[str, str]:
        """The name in its settings that no container has, with its place, where the program prints
        little but that error. A program that works anyway does not need the name."""
        error = self.error
        containers = self.around.containers
        is_all = error.times >= MOSTLY * error.of and not (error.serves or error.works)
        if containers is None or not is_all:
            return {}
        strays = strays_by(error.failure, error.container, containers)
        return {name: place for name, place in strays.items() if place.startswith(VARIABLE)}

    @functools.cached_property
    def authorities(self) -> LocalAuthorities | None:
        """The host's own certificate authorities, for a program that does not know one and has its
        image's file."""
        authorities = self.around.local_authorities
        is_distrusting = self._is_of("certificate-untrusted")
        if not is_distrusting or authorities is None or not authorities.files:
            return None
        return authorities if self.error.container.mount_at(BUNDLE) is None else None

    @property
    def lacks_list(self) -> bool:
        """Whether the image of the distrusting program has no list of authorities at all."""
        authorities = self.around.local_authorities
        return authorities is not None and self.error.container.id in authorities.listless

    @functools.cached_property
    def setting(self) -> NamedSetting | None:
        """The setting that the line names, or the only mounted file in which its cure is made."""
        container = self.error.container
        failure = self.error.failure
        cure = failure.cure if failure is not None else ""
        return named_setting(container, self.error.line) or only_file(container, cure)

    @functools.cached_property
    def option(self) -> PageVariables:
        """The only option without which the program continues and does a part of its work.

        All privileges are too much for a program that works without them.
        """
        failure = self.error.failure
        surroundings = self.around
        if failure is None:
            return {}
        options = needed_options(
            self.error.container, failure, surroundings.asked_devices, surroundings.numbers
        )
        option = only(options) or "--privileged"
        return {} if option == "--privileged" else {"needed_option": option}

    @functools.cached_property
    def server(self) -> PublishedPeer | None:
        """The container of this host with the certificate that the program does not accept."""
        containers = self.around.containers
        links = self.around.links
        if not self._is_of("certificate-") or containers is None or links is None:
            return None
        return publisher_in(self.error.line.whole, self.error.container, containers, links)

    @functools.cached_property
    def floor(self) -> TlsFloor | None:
        """The line of the container's OpenSSL settings that refuses an older peer; else None."""
        floors = self.around.tls_floors
        return floors.of(self.error.container) if floors is not None else None

    @functools.cached_property
    def unread(self) -> UnreadSettings | None:
        """The mounted settings that the program does not read, where those of the image make it
        call itself."""
        files = self.around.unread_files
        (host, _) = place_in(self.error.line.whole)
        return files.of(self.error.container) if files is not None and is_itself(host) else None

    @functools.cached_property
    def absent(self) -> Container | None:
        """The only container that shares its network, which it calls as localhost, and does not
        run."""
        containers = self.around.containers
        clock = self.around.clock
        if not self._is_of("loopback-") or containers is None or clock is None:
            return None
        return only([*absent_sharers(self.error.container, containers, clock, _SETTLED_S)])

    @functools.cached_property
    def unused(self) -> Container | None:
        """The database that it depends on and does not call: it lacks a table in a file of its own
        instead."""
        containers = self.around.containers
        if not self._is_of("table-missing") or containers is None:
            return None
        return unused_database(self.error.lines, self.error.container, containers)

    @functools.cached_property
    def spoken(self) -> SpokenPeer | None:
        """The stopped server of the kind that its line is about, and does not name."""
        containers = self.around.containers
        if containers is None or not self._is_of("some-peer-refused"):
            return None
        return spoken_peer(self.error.line.whole, self.error.container, containers)

    @functools.cached_property
    def translated(self) -> TranslatedPath | None:
        """The path in this container for one that a download client names."""
        failure = self.error.failure
        containers = self.around.containers
        if not self._is_of("download-elsewhere") or failure is None or containers is None:
            return None
        return translated_path(self.error.container, containers, failure.values.get("path", ""))

    @functools.cached_property
    def refused(self) -> RefusedOwnPath | None:
        """The file or folder that the program's user may not open, where its line names the
        path."""
        refused = self.around.refused_own_paths
        return refused.of(self.error.container) if refused and self._is_of("path-denied") else None

    @functools.cached_property
    def provider(self) -> Container | None:
        """The identity provider that the line names by two addresses."""
        containers = self.around.containers
        if containers is None:
            return None
        return provider_of_both(self.error.failure, self.error.container, containers)

    @functools.cached_property
    def prefixed(self) -> PrefixedPeer | None:
        """The neighbour that serves below a path which the call leaves out."""
        error = self.error
        containers = self.around.containers
        if containers is None:
            return None
        return prefixed_peer(error.line.whole, error.container, containers)

    @functools.cached_property
    def stray_path(self) -> StrayPath | None:
        """The path in its line that is in none of its mounts."""
        return stray_path(self.error.container, self.error.line.whole)

    @functools.cached_property
    def nameless(self) -> NamelessClient:
        """The client that asks this server of PostgreSQL for a name that nobody has chosen."""
        return nameless_client(self.error.container, self.error.failure)

    def _is_of(self, row: str) -> bool:
        """Whether the known failure has this name, or one that begins with it."""
        failure = self.error.failure
        return failure is not None and failure.name.startswith(row)

    @property
    def extension(self) -> str:
        """The extension of PHP that is missing, "" where it is not known or not about PHP."""
        return missing_extension(self.error.failure, self.error.lines)

    @property
    def unset(self) -> str:
        """The variable that the line asks for and the container does not have; "" for none."""
        failure = self.error.failure
        config = self.error.container.config
        if failure is None or failure.confirmed_by != _VARIABLE:
            return ""
        name = missing_variable(self.error.container, failure)
        return "" if config.sets(name) else name

    @property
    def has_no_network(self) -> bool:
        """Whether the container has no network, and most of its lines are about names that do not
        resolve.

        network.calls-failing reports calls to an address.
        """
        error = self.error
        is_cut_off = error.container.host_config.network_mode == "none"
        is_call = "dns" in signs(error.line.whole)
        return is_cut_off and is_call and error.times >= MOSTLY * error.of

    @property
    def turns_callers_away(self) -> bool:
        """Whether the program refuses most of its callers."""
        is_known = _refuses(self.error, self.remedy)
        is_elsewhere = self.unread is not None or self.unused is not None
        return is_known or bool(self.strays) or is_elsewhere

    @property
    def does_nothing_else(self) -> bool:
        """Whether the program's work as a whole fails, and not one of the many things that a server
        does.

        A worker has no other work, unless another program's failure is the reason. A server depends
        on a neighbour, on the values of its own variables, and on its files; a proxy depends on its
        upstream. A failure that is known as the program's own fault is the reason why it does not
        work.
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


_IS_NO_ERROR = LazyPattern(r"^(?:\S{1,40} ){0,3}\[?(?:DEBUG|INFO)\b|\blevel=(?:debug|info)\b")
"""The level that a program itself gives a line, whatever it quotes behind it."""


def _refuses(error: RepeatedError, remedy: PageVariables) -> bool:
    """Whether the program is known to turn its callers away, and prints little else.

    A program that waits for a migration does so whatever else it prints. A replica that somebody
    tries to write to works, and so does a program that calls a refusal no error.
    """
    failure = error.failure
    if failure is None or (failure.name in _DISPROVED and error.serves):
        return False
    is_no_error = not failure.failure.at_any_level and _IS_NO_ERROR.search(error.line.whole)
    if is_no_error or is_about_a_client(error.line.whole):
        return False
    is_alone = error.ends_pages or (error.times >= error.most and not error.serves)
    is_most = is_alone or error.times >= MOSTLY * error.of
    if migration_of(failure, error.lines):
        return is_most or failure.name == "data-older"
    return is_most and (failure.failure.turns_away or "scripts" in remedy)
