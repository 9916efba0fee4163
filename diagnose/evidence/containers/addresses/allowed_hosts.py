"""Programs that take requests for certain host names alone, and refuse all that come.

A variable or a file of settings lists the names. Clients call this host by its address, or by
another name, and each gets a refusal.
"""

import msgspec

from diagnose.evidence.containers.inspect import host_mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.mounted_files import mounted_file
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import BROWSED_PORTS, is_address, is_loopback
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers, FailedAnswers
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.registry import evidence

_ALLOWS = LazyPattern(
    r"(?i)^(?:\w{1,40}_)?(?:ALLOWED_DOMAINS|ALLOWED_HOSTS?|HOST_WHITELIST|TRUSTED_DOMAINS|TRUSTED_HOSTS?)$"
)
"""Variables such as OWNCLOUD_TRUSTED_DOMAINS and DJANGO_ALLOWED_HOSTS."""
_SEPARATORS = LazyPattern(r"[\s,;|]+")
_MARKS = "[]\"'() "
_NEXTCLOUD = LazyPattern(r"(?:^|/)(?:nextcloud|owncloud)(?:[-/:@]|$)")
_FILES = (
    "/var/www/html/config/config.php",
    "/config/www/nextcloud/config/config.php",
    "/mnt/data/config/config.php",
)
"""The files of the list, by image."""
_FIRST_START = LazyPattern(r"^NEXTCLOUD_")
"""Nextcloud reads its variable of that name at the first start alone."""
_FORBIDDEN = 403
_REFUSED = frozenset({400, _FORBIDDEN, 421})
_NETWORK = LazyPattern(r"[\d.:a-fA-F]{2,45}/\d{1,3}")
_BROWSER = "Mozilla/5.0 ("
_SCANNER = LazyPattern(r"(?i)\((?:compatible|[^)]{0,200}\b(?:bot|scan\w{0,10}|spider)\b)")


class HostNotAllowed(msgspec.Struct, frozen=True):
    """A program that refuses all of its clients, and the names that it takes."""

    container: Container
    failed: FailedAnswers
    variable: str
    """"" where a file has the list."""
    path: str
    """The file on the host; "" where a variable has the list."""
    names: tuple[str, ...]
    address: str
    """The address by which clients of other machines call this host; "" where that is not known."""
    value: str = ""
    """The value of the variable, with the address in it."""

    @property
    def place(self) -> str:
        return self.variable or self.path

    @property
    def is_of_people(self) -> bool:
        """Whether the client is a browser, or is not known.

        Monitors and scanners call by address, where people call by name.
        """
        agents = [line.agent for line in self.failed.answers]
        return any(
            not agent or (agent.startswith(_BROWSER) and not _SCANNER.search(agent))
            for agent in agents
        )


class HostsNotAllowed(Items[HostNotAllowed], frozen=True):
    """The refused hosts, at most one for each container; empty where some clients are accepted."""


@evidence
def hosts_not_allowed(
    host: Host,
    all_failed_answers: AllFailedAnswers,
    interfaces: Interfaces | None,
    uplinks: Uplinks | None,
) -> HostsNotAllowed:
    """The lists of allowed hosts without this host's addresses, where all requests are refused."""
    shown = interfaces.shown_addresses if interfaces is not None else ()
    own_addresses = {address.lower() for address in shown}
    preferred = uplinks.preferred if uplinks is not None else None
    address = (preferred.address if preferred is not None else None) or ""
    refused_hosts = []
    for failed in all_failed_answers:
        if failed.is_refusal and failed.status in _REFUSED and not failed.proxies:
            not_allowed = _list_of(host, failed, address)
            if not_allowed is None or _is_of_clients(not_allowed):
                continue
            if not any(_takes(name, own_addresses) for name in not_allowed.names):
                refused_hosts.append(not_allowed)
    return HostsNotAllowed(tuple(refused_hosts))


def _list_of(host: Host, failed: FailedAnswers, address: str) -> HostNotAllowed | None:
    """The list of a program: that of its file before that of a variable for its first start."""
    container = failed.container
    variable = _variable_of(container)
    if not variable or _FIRST_START.search(variable):
        not_allowed = _list_of_file(host, failed, address)
        if not_allowed is not None:
            return not_allowed
    if not variable:
        return None
    value = container.config.value_of(variable)
    names = tuple(word for part in _SEPARATORS.split(value) if (word := part.strip(_MARKS)))
    return HostNotAllowed(
        container,
        failed,
        variable,
        path="",
        names=names,
        address=address,
        value=_with_address(container, variable, value, address),
    )


def _list_of_file(host: Host, failed: FailedAnswers, address: str) -> HostNotAllowed | None:
    """The list in a mounted file of Nextcloud or ownCloud; None without a file or a list."""
    container = failed.container
    if not _NEXTCLOUD.search(container.config.image):
        return None
    for path in _FILES:
        mount = host_mount(container.mounts, path)
        if mount is None:
            continue
        file = host.ask(mounted_file(mount, path, parts="trusted domains"))
        names = () if isinstance(file, Failed) else tuple(file.text.split())
        if names:
            on_host = mount.on_host(path)
            return HostNotAllowed(container, failed, "", path=on_host, names=names, address=address)
    return None


def _is_of_clients(not_allowed: HostNotAllowed) -> bool:
    """Whether a list may be about clients, and not about host names: those of NRPE and others."""
    if any(_NETWORK.fullmatch(name) for name in not_allowed.names):
        return True
    is_closed = not_allowed.failed.status == _FORBIDDEN
    return is_closed and all(
        is_address(name) and not is_loopback(name) for name in not_allowed.names
    )


def _variable_of(container: Container) -> str:
    names = (name for name, value in container.config.environment if value)
    return next(filter(_ALLOWS.fullmatch, names), "")


def _with_address(container: Container, variable: str, value: str, address: str) -> str:
    """The value with the address of this host, in the form that the value has."""
    if not address or value.startswith("["):
        return ""
    port = next((binding.host_port for binding in container.published_by("tcp")), 0)
    needs_port = variable.startswith("HOMEPAGE_") and port not in BROWSED_PORTS
    separator = next((sign for sign in ",; |" if sign in value), ",")
    return f"{value}{separator}{address}{f':{port}' if needs_port else ''}"


def _takes(name: str, allowed_names: set[str]) -> bool:
    """Whether a name of the list is for all, or for an address of this host."""
    place = name.lower().partition("://")[2] or name.lower()
    bare = place.rpartition(":")[0] if place.count(":") == 1 else place
    is_own = bare.strip("[]") in allowed_names and not is_loopback(bare)
    return is_own or "*" in place
