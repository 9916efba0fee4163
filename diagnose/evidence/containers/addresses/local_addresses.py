"""Addresses that programs give their visitors, and that lead each visitor to its own machine.

A variable says where the program is found, and it says localhost, or the name that containers call
it by. Visitors come from elsewhere: a proxy serves the container under a name, or a port is
published for other machines.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.served_names import labelled_names
from diagnose.evidence.containers.settings.developer_runs import is_for_developers, is_on_a_desk
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import WEB_PORTS, host_of_url, is_loopback
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.numbers import is_number
from diagnose.phrases import and_more
from diagnose.programs.own_addresses import LOCAL_DEFAULTS, OWN_URL
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

_FOR_VISITORS = LazyPattern(
    r"(?i)^(?:AUTH_URL"
    r"|(?:REACT_APP|VITE|NEXT_PUBLIC|NUXT_PUBLIC|VUE_APP|EXPO_PUBLIC)_(?:\w{1,40}_)?(?:URL|HOST|ENDPOINT))$"
)
"""Further variables whose address browsers get: of Auth.js, and of tools that build pages."""
_NAMES_ALONE = vocabulary("CMD_DOMAIN")
"""Variables that take the name without https://."""
_WEAK = LazyPattern(r"(?i)(?:^|_)(?:APP_UR[LI]|DOMAIN|FRONTEND_UR[LI]|SERVER_UR[LI])$")
"""Variables that many programs use for calls of their own, or for nothing but mails."""
_ADDRESS = LazyPattern(
    r"(?P<scheme>https?)://(?P<host>[\w.-]{1,100}|\[::1?\])(?::(?P<port>\d{1,5}))?(?:/[\w./-]{0,100})?"
)
_LOCAL = vocabulary("0.0.0.0 [::1] [::] localhost")


class LocalAddress(msgspec.Struct, frozen=True):
    """The variables of a container whose address leads its visitors to themselves."""

    container: Container
    variables: tuple[tuple[str, str], ...]
    """Their names and values."""
    name: str = ""
    """The one name under which a proxy serves the container; "" for none or several."""
    by: str = ""
    """The names or the port by which visitors from elsewhere come."""
    is_sure: bool = False
    """Whether a proxy serves it by a name."""
    unset: str = ""
    """The unset variable, where the program's default leads there."""
    is_own_name: bool = False
    """Whether the address has the name by which containers call it."""

    @property
    def is_loud(self) -> bool:
        """Whether a variable counts that programs use for nothing but such addresses."""
        return self.is_sure or not all(_WEAK.search(variable) for variable, _ in self.variables)

    @property
    def assignments(self) -> tuple[str, ...]:
        """The variables with the name of the site in their addresses; empty where none is known."""
        if not self.name:
            return ()
        if self.unset:
            place = self.name if self.unset in _NAMES_ALONE else f"https://{self.name}/"
            return (f"{self.unset}={place}",)
        return tuple(
            f"{variable}=https://{self.name}{urlsplit(value).path}"
            for variable, value in self.variables
        )


class LocalAddresses(Items[LocalAddress], frozen=True):
    """The local addresses, at most one for each container."""


@evidence
def local_addresses(containers: Containers, processes: Processes) -> LocalAddresses:
    """The addresses in variables and labels that mean the visitor's own machine.

    By variables, labels and ports alone. The collector gives nothing of a machine with a desktop
    session.
    """
    is_desk = is_on_a_desk(processes)
    running = tuple(containers.running)
    candidates = (_local_address(container, running, is_desk=is_desk) for container in running)
    return LocalAddresses(tuple(filter(None, candidates)))


def _local_address(
    container: Container, running: tuple[Container, ...], *, is_desk: bool
) -> LocalAddress | None:
    """The address of this very machine that a container gives to the visitors of others."""
    names = sorted(set(labelled_names(container)))
    variables = tuple(_local_variables(container, running, is_named=bool(names)))
    unset = "" if variables or not names else _unset_variable(container)
    if not (variables or unset) or is_for_developers(container):
        return None
    visitors_way = way_of_visitors(container, is_desk=is_desk)
    if not visitors_way:
        return None
    hosts = {host_of_url(value) for _, value in variables}
    return LocalAddress(
        container,
        variables,
        name=only(names) or "",
        by=visitors_way,
        is_sure=bool(names),
        unset=unset,
        is_own_name=bool(hosts) and hosts <= container.dns_names,
    )


def _unset_variable(container: Container) -> str:
    """The variable that would give a program its address, where nothing gives it one."""
    known_defaults = (
        entry for entry in LOCAL_DEFAULTS if entry.image.search(container.config.image)
    )
    default = next(known_defaults, None)
    if default is None or any(map(container.config.sets, (default.variable, *default.others))):
        return ""
    has_file = any(
        is_within(mount.destination, default.folder) for mount in container.mounts if default.folder
    )
    return "" if has_file else default.variable


def _local_variables(
    container: Container, running: tuple[Container, ...], *, is_named: bool
) -> Iterator[tuple[str, str]]:
    """The variables with a local address; none where another one has the address of the site.

    is_named: whether a proxy serves it by a name: the port is then its own in any case.
    """
    local_variables = [
        (variable, value)
        for variable, value in container.config.environment
        if OWN_URL.fullmatch(variable) or _FOR_VISITORS.fullmatch(variable)
    ]
    for _, value in local_variables:
        match = _ADDRESS.fullmatch(value)
        if match is None:
            if "." in value and not value.startswith("/"):
                return
            continue
        if not _is_local(match["host"], container):
            return
    for variable, value in local_variables:
        match = _ADDRESS.fullmatch(value)
        is_own = is_named and not _WEAK.search(variable)
        if match is not None and (
            is_own or _is_served(match["port"], match["scheme"], container, running)
        ):
            yield variable, value


def _is_local(host: str, container: Container) -> bool:
    is_here = host.lower() in _LOCAL or is_loopback(host)
    return is_here or ("." not in host and host in container.dns_names)


def _is_served(
    port: str | None, scheme: str, container: Container, running: tuple[Container, ...]
) -> bool:
    """Whether a port is one of the container, inside or published, or of another one."""
    if port is None:
        return True
    number = int(port) if is_number(port) else 0
    if number in (WEB_PORTS[scheme], *container.declared_tcp_ports, *container.published_tcp_ports):
        return True
    return any(
        binding.host_port == number for other in running for binding in other.published_by("tcp")
    )


def way_of_visitors(container: Container, *, is_desk: bool) -> str:
    """The names or the port by which visitors from elsewhere come; "" for none."""
    names = and_more(sorted(set(labelled_names(container))))
    return names or ("" if is_desk else _open_port(container))


def _open_port(container: Container) -> str:
    """The port by which other machines reach the program; "" where one is for this host alone."""
    published_ports = list(container.published_by("tcp"))
    if not published_ports or any(binding.is_for_host_alone for binding in published_ports):
        return ""
    return f"port {published_ports[0].host_port} of this host, published for other machines"
