"""Programs that configure network interfaces, and the file that lets them touch the engine's."""

import fnmatch
from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.machine.drop_in_files import drop_in_paths
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.wiring.docker_interfaces import DockerInterface, DockerInterfaces
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

_COMMS: Mapping[str, str] = {
    "dhcpcd": "dhcpcd",
    "NetworkManager": "NetworkManager",
    "systemd-network": "systemd-networkd",
    "connmand": "connman",
    "dhclient": "dhclient",
    "avahi-autoipd": "avahi-autoipd",
}
"""The name of each program by its command as the kernel keeps it: 15 characters."""

_NETWORKD = "systemd-networkd"
_CONFIG: Mapping[str, str] = {
    "dhcpcd": "/etc/dhcpcd.conf",
    "NetworkManager": "/etc/NetworkManager/NetworkManager.conf",
}

_NETWORKD_FOLDERS = ("/etc/systemd/network", "/run/systemd/network", "/usr/lib/systemd/network")
"""Folders of networkd's files; a file of the same name in an earlier folder replaces one in a later
folder."""


class InterfaceManager(msgspec.Struct, frozen=True):
    """A program that manages interfaces."""

    name: str
    pid: int
    file: str = ""
    """The configuration for which it manages the interface, "" where none was found."""

    def __str__(self) -> str:
        place = f", {self.file}" if self.file else ""
        return f"{self.name} (pid {self.pid}{place})"


class InterfaceManagers(msgspec.Struct, frozen=True):
    """The programs that may have configured each taken interface, or emptied a bridge.

    By the interface's name, the likeliest first.
    """

    by_interface: dict[str, tuple[InterfaceManager, ...]]

    def __len__(self) -> int:
        return len(self.by_interface)

    def of(self, interface: DockerInterface) -> tuple[InterfaceManager, ...]:
        return self.by_interface.get(interface.link.name, ())

    def by_own_file(self, bridge: str) -> InterfaceManager | None:
        """networkd, where one of its files matches a bridge that has lost its address."""
        managers = (
            manager for manager in self.by_interface.get(bridge, ()) if manager.name == _NETWORKD
        )
        return next((manager for manager in managers if manager.file), None)


@evidence
def interface_managers(
    host: Host,
    docker_interfaces: DockerInterfaces,
    processes: Processes | None,
    networks: Networks | None,
    links: Interfaces | None,
) -> InterfaceManagers:
    """The programs that may have configured an interface of the engine.

    Files are read only where an interface of the engine is taken, or has lost its address.
    """
    concerned = [interface.link for interface in docker_interfaces]
    if networks is not None and links is not None:
        concerned += _emptied_bridges(networks, links)
    if not concerned or processes is None:
        return InterfaceManagers({})
    running = [
        InterfaceManager(_COMMS[process.comm], process.pid)
        for process in processes.outside
        if process.comm in _COMMS
    ]
    has_networkd = any(manager.name == _NETWORKD for manager in running)
    files = _networkd_files(host) if has_networkd else {}
    present = {name: path for name, path in _CONFIG.items() if _exists(host, path)}
    by_interface = {}
    for link in concerned:
        file_of = {**present, _NETWORKD: _networkd_file(link, files)}
        managers = [
            msgspec.structs.replace(manager, file=file_of.get(manager.name, ""))
            for manager in running
        ]
        by_interface[link.name] = tuple(sorted(managers, key=lambda manager: not manager.file))
    return InterfaceManagers(by_interface)


def _emptied_bridges(networks: Networks, links: Interfaces) -> Iterator[Interface]:
    """The bridges of networks that should have an IPv4 address, and have none."""
    for network in networks.bridges:
        link = links.by_name.get(network.bridge)
        should_have_one = network.bridge_has_address and bool(network.subnets4)
        if link is None or not should_have_one:
            continue
        if all(":" in address for address in links.addresses_of(link)):
            yield link


def _networkd_file(link: Interface, files: Mapping[str, str]) -> str:
    """The first of networkd's files that matches the interface, in the order of their names."""
    return next((path for path, text in files.items() if _matches(text, link)), "")


def _exists(host: Host, path: str) -> bool:
    answer = host.ask(ReadFile(path))
    return not isinstance(answer, Failed)


def _networkd_files(host: Host) -> dict[str, str]:
    """The text of each active .network file by its path, sorted by file name.

    Without those that a link to /dev/null masks.
    """
    paths = drop_in_paths(host, _NETWORKD_FOLDERS, ".network")
    answers = dict(host.ask_many([ReadFile(path) for path in paths]))
    files = {path: answers[ReadFile(path)] for path in paths}
    return {path: file.text for path, file in files.items() if not isinstance(file, Failed)}


def _matches(text: str, link: Interface) -> bool:
    """Whether the [Match] section of a .network file fits an interface (systemd.network(5)).

    A file with a condition that is not known here, such as a hardware address or a path, does not
    count as a match.
    """
    conditions = dict(_conditions(text))
    kind = link.kind or ""
    properties = {
        "Name": link.name,
        "Kind": kind,
        "Driver": kind,
        "Type": "bridge" if kind == "bridge" else "ether",
    }
    if not set(conditions) <= set(properties):
        return False
    return all(_matches_pattern(patterns, properties[key]) for key, patterns in conditions.items())


def _conditions(text: str) -> Iterator[tuple[str, str]]:
    section = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped
        elif section == "[Match]" and "=" in stripped and stripped[0] not in "#;":
            key, _, value = stripped.partition("=")
            yield key.strip(), value.strip()


def _matches_pattern(patterns: str, value: str) -> bool:
    """Whether one of the shell patterns fits; a leading `!` turns the whole list around."""
    is_positive = not patterns.startswith("!")
    pattern_words = patterns.removeprefix("!").split()
    return any(fnmatch.fnmatchcase(value, pattern) for pattern in pattern_words) is is_positive
