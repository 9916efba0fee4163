"""Settings of containers that do nothing, for a part that they need is not there."""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import HostConfig, Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.file_paths import is_within
from diagnose.model import Failed
from diagnose.programs.setting_needs import parts
from diagnose.programs.setting_needs.needs import SettingNeed
from diagnose.programs.setting_needs.table import SETTING_NEEDS
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

MOST_FILES = 40
"""Paths in containers that are looked at."""
MOST_MATCHES = 8
"""Matches of one part that are followed."""
SETTLED_S = 20.0
"""Seconds after which a start script has made its files."""
_BYTES = 32768
_OF_THE_KERNEL = ("/proc", "/sys")
_LONGEST = 2000
"""Letters of a setting that are compared."""
_SITE_LABEL = re.compile(r"traefik\.http\.routers\.[^.]{1,80}\.rule$|caddy(?:_\d{1,3})?$")
_IN_MEMORY = re.compile(r"/(?:dev|proc|sys)(?:/|$)")
"""File systems that the engine does not show when it is asked for a file of a container."""
_SERVER = "server"
_HOST = "host"

Groups = Mapping[str, str]
"""What the groups of the matched parts have matched, by their names."""


class UnmetNeed(msgspec.Struct, frozen=True):
    """A setting of a container, and the rule that it breaks."""

    container: Container
    need: SettingNeed
    groups: Groups
    server: Container | None
    """The container that the rule has found beside it."""

    def filled(self, text: str) -> str:
        """A text of the rule with the values of this container."""
        server = {} if self.server is None else {_SERVER: str(self.server)}
        return _filled(text, {**self.groups, **server})


class UnmetNeeds(Items[UnmetNeed], frozen=True):
    """In the order of the containers."""


@evidence
def unmet_needs(host: Host, containers: Containers, clock: Clock) -> UnmetNeeds:
    """The rules that running containers break, by inspect and by files in them.

    A file is asked for only where the parts before it are there.
    """
    scene = _Scene(host, containers, clock)
    broken = (
        _unmet(need, container, scene)
        for container in containers.running
        for need in SETTING_NEEDS
        if need.image.search(container.config.image)
    )
    return UnmetNeeds(tuple(filter(None, broken)))


class _UndecidedError(Exception):
    """Whether a part is there is not known."""


class _Scene:
    """The containers of the host, and the files in them."""

    def __init__(self, host: Host, containers: Containers, clock: Clock) -> None:
        self._host = host
        self._asked: set[tuple[str, str]] = set()
        self._running_by_pattern: dict[str, list[Container]] = {}
        self.containers = containers
        self.clock = clock

    def text(self, container: Container, path: str) -> str | None:
        """The text of a file, "" for what has none, None where nothing has that path."""
        if _IN_MEMORY.match(path) or any(is_within(path, place) for place in _tmpfs(container)):
            raise _UndecidedError
        mount = container.mount_at(path)
        if mount is not None and _is_whole_tree(mount):
            return ""
        key = (container.id, path)
        if key not in self._asked and len(self._asked) >= MOST_FILES:
            raise _UndecidedError
        self._asked.add(key)
        answer = self._host.ask(ReadContainerFile(container.id, path, bytes=_BYTES))
        if not isinstance(answer, Failed):
            return answer.utf8 or ""
        if answer.reason != "gone":
            raise _UndecidedError
        return None

    def beside(self, container: Container, image: str) -> Iterator[Container]:
        """The other running containers of an image."""
        if image not in self._running_by_pattern:
            pattern = re.compile(image)
            running = self.containers.running
            matching = [other for other in running if pattern.search(other.config.image)]
            self._running_by_pattern[image] = matching
        for other in self._running_by_pattern[image]:
            if other.id != container.id:
                yield other

    def is_own(self, container: Container, variable: str) -> bool:
        """Whether neither its image nor another container has a variable, as `NAME=value`."""
        image = self._host.ask(InspectImage(container.image))
        if isinstance(image, Failed) or image.config is None:
            raise _UndecidedError
        is_shared = self._number_with[variable] > 1
        return not is_shared and variable not in (image.config.env or ())

    @functools.cached_property
    def _number_with(self) -> Counter[str]:
        """How many containers have each variable, as `NAME=value`."""
        return Counter(
            variable
            for container in self.containers
            for variable in set(container.config.env or ())
        )


def _tmpfs(container: Container) -> list[str]:
    """The places of a container whose files are in memory: the engine does not show them."""
    mounted = [mount.destination for mount in container.mounts if mount.type == "tmpfs"]
    return [*mounted, *(container.host_config.tmpfs or ())]


def _is_whole_tree(mount: Mount) -> bool:
    """Whether a mount is a folder with the kernel's files, or the whole host.

    An engine that is asked for such a folder archives all of it, and logs an error for each file
    of the kernel's that is shorter than it claims.
    """
    return mount.source == "/" or any(is_within(mount.source, place) for place in _OF_THE_KERNEL)


def _unmet(need: SettingNeed, container: Container, scene: _Scene) -> UnmetNeed | None:
    """The rule, if the container breaks it; None too where a file could not be read."""
    try:
        for groups in _all_of(need.given, container, scene, {}):
            if not any(_holds(part, container, scene, groups) for part in need.lacks):
                server = scene.containers.by_name.get(groups.get(_SERVER, ""))
                return UnmetNeed(container, need, groups, server)
    except _UndecidedError:
        return None
    return None


def _all_of(
    wanted: Sequence[parts.SettingPart], container: Container, scene: _Scene, groups: Groups
) -> Iterator[Groups]:
    """The groups of each way in which the container has all these parts."""
    if not wanted:
        yield groups
        return
    for further in _matches(wanted[0], container, scene, groups):
        yield from _all_of(wanted[1:], container, scene, {**groups, **further})


def _holds(part: parts.SettingPart, container: Container, scene: _Scene, groups: Groups) -> bool:
    return any(True for _ in _matches(part, container, scene, groups))


def _matches(
    part: parts.SettingPart, container: Container, scene: _Scene, groups: Groups
) -> Iterator[Groups]:
    """The groups of each way in which the container has a part; nothing where it lacks it."""
    match part:
        case parts.Variable():
            yield from _variables(part, container, scene, groups)
        case parts.Word(pattern):
            words = " ".join(container.config.words)[:_LONGEST]
            yield from _found(_pattern(pattern, groups), words)
        case parts.Text() | parts.ExistingPath():
            yield from _file_groups(part, container, scene, groups)
        case parts.MountAt(place):
            yield from _mounts_at(place, container)
        case parts.NeighbourWith() | parts.Called():
            yield from _neighbours(part, container, scene, groups)
        case parts.GuestNamed(name):
            yield from _hosts_of_guest(_filled(name, groups), container, scene)
        case _:
            if _is_so(part, container, scene, groups):
                yield {}


def _is_so(part: parts.SettingPart, container: Container, scene: _Scene, groups: Groups) -> bool:
    """Whether the container has a part without groups."""
    match part:
        case parts.Lacking(opposite):
            return not _holds(opposite, container, scene, groups)
        case parts.Named() | parts.SharedPlace():
            return _is_beside(part, container, scene, groups)
    return _has_option(part, container, groups)


def _mounts_at(place: str, container: Container) -> Iterator[Groups]:
    """The mounts whose whole place in the container matches."""
    for mount in container.mounts:
        if _lasts(mount) and re.fullmatch(place, mount.destination):
            yield {"place": mount.destination, "source": mount.place}


def _variables(
    part: parts.Variable, container: Container, scene: _Scene, groups: Groups
) -> Iterator[Groups]:
    """The groups of each variable that matches, with its name and its value."""
    pattern = _pattern(part.value, groups)
    matched = 0
    for name, value in container.config.environment:
        match = re.fullmatch(part.name, name) and re.fullmatch(pattern, value[:_LONGEST])
        if not match or (part.is_own and not scene.is_own(container, f"{name}={value}")):
            continue
        yield {"variable": name, "value": value, **_named_groups(match)}
        matched += 1
        if matched == MOST_MATCHES:
            return


def _found(pattern: str, text: str) -> Iterator[Groups]:
    """The groups of the first places in a text where a pattern matches."""
    for number, match in enumerate(re.finditer(pattern, text)):
        if number == MOST_MATCHES:
            return
        yield _named_groups(match)


def _named_groups(match: re.Match[str]) -> dict[str, str]:
    return {name: text for name, text in match.groupdict().items() if text is not None}


def _has_option(part: parts.SettingPart, container: Container, groups: Groups) -> bool:
    """Whether the container was created with a part."""
    options = container.host_config
    match part:
        case parts.Labelled(pattern):
            return _has_label(_pattern(pattern, groups), container)
        case parts.Capability(name):
            return options.privileged or bool({name, "ALL"} & options.added_capabilities)
        case parts.GivenDevice(path):
            return options.privileged or _filled(path, groups) in _device_paths(options)
        case parts.MountAround(path):
            return any(_is_at(mount, _filled(path, groups)) for mount in container.mounts)
        case parts.SharesNetwork():
            return container.shares_network
        case parts.Published():
            return _is_published(part, container, groups)
        case parts.Publishing():
            return bool(container.published_ports)
        case parts.EngineAddress(address):
            return _filled(address, groups) in container.addresses
        case parts.Sites():
            return _has_site(container)
    return False


def _has_label(pattern: str, container: Container) -> bool:
    """Whether a label, written as key=value, begins with the pattern."""
    labels = [f"{key}={value}"[:_LONGEST] for key, value in container.labels.items()]
    return any(re.match(pattern, label) for label in labels)


def _device_paths(options: HostConfig) -> set[str]:
    """The paths in the container of the devices that it was given."""
    return {device.path_in_container for device in options.devices or ()}


def _has_site(container: Container) -> bool:
    """Whether a proxy shows a site of the container, by a label or by nginx-proxy's variable."""
    has_label = any(map(_SITE_LABEL.match, container.labels))
    return has_label or container.config.sets("VIRTUAL_HOST")


def _lasts(mount: Mount) -> bool:
    """Whether somebody has chosen what is mounted, and it outlasts the container."""
    return mount.has_host_path and not mount.is_anonymous


def _is_at(mount: Mount, path: str) -> bool:
    """Whether such a thing is mounted at a path, above it or below it."""
    is_around = mount.destination == path or mount.holds(path)
    return _lasts(mount) and (is_around or mount.destination.startswith(f"{path}/"))


def _is_published(part: parts.Published, container: Container, groups: Groups) -> bool:
    if container.shares_host_network:
        return True
    port = _filled(part.port, groups)
    host_port = _filled(part.at, groups)
    return any(
        published.port == port
        and not published.is_for_host_alone
        and host_port in ("", str(published.host_port))
        for published in container.published_ports
    )


def _file_groups(
    part: parts.Text | parts.ExistingPath, container: Container, scene: _Scene, groups: Groups
) -> Iterator[Groups]:
    """The groups of a part that is a file in the container, which has made its own files by now."""
    if not scene.clock.has_passed(container.started_at, SETTLED_S):
        raise _UndecidedError
    paths = part.paths if isinstance(part, parts.Text) else (part.path,)
    for path in paths:
        text = scene.text(container, _filled(path, groups))
        if text is None:
            continue
        if isinstance(part, parts.Text):
            yield from _found(_pattern(part.pattern, groups), text)
        else:
            yield {}
        return


def _neighbours(
    part: parts.NeighbourWith | parts.Called, container: Container, scene: _Scene, groups: Groups
) -> Iterator[Groups]:
    """The groups of each other container that has all the parts, with its name."""
    neighbours = scene.beside(container, part.image)
    if isinstance(part, parts.Called):
        neighbours = _with_name(groups.get(_HOST), container, neighbours)
    for neighbour in neighbours:
        for groups_of_neighbour in _all_of(part.parts, neighbour, scene, groups):
            yield {**groups_of_neighbour, _SERVER: neighbour.name}


def _with_name(
    host: str | None, container: Container, neighbours: Iterable[Container]
) -> Iterator[Container]:
    """The neighbours that the container finds by this host name: they share a network with it."""
    for neighbour in neighbours:
        if host in neighbour.dns_names and neighbour.shared_networks(container):
            yield neighbour


def _hosts_of_guest(name: str, container: Container, scene: _Scene) -> Iterator[Groups]:
    """The container whose network a container of this name has, where the name leads nowhere."""
    if not container.has_engine_names or name in container.extra_names:
        return
    for guest in scene.containers.running:
        if guest.joins_network_of_other and name in (guest.name, guest.compose_service):
            id = guest.host_config.network_mode.partition(":")[2]
            owner = scene.containers.by_id.get(id) or scene.containers.by_name.get(id)
            if owner is not None:
                yield {_SERVER: owner.name}


def _is_beside(
    part: parts.Named | parts.SharedPlace, container: Container, scene: _Scene, groups: Groups
) -> bool:
    """Whether other containers have a name, or the same thing mounted at the same place."""
    if isinstance(part, parts.Named):
        names_by_network = scene.containers.names_by_network
        name = _filled(part.name, groups)
        return any(name in names_by_network.get(network, ()) for network in container.endpoints)
    path = _filled(part.path, groups)
    own_mount = container.mount_at(path)
    others = [other.mount_at(path) for other in scene.beside(container, part.image)]
    sources = [mount.source for mount in others if mount is not None]
    return own_mount is not None and own_mount.source in sources


def _filled(text: str, groups: Groups) -> str:
    """A text with the values of the groups that it names in braces."""
    return _PLACE.sub(lambda match: groups.get(match["name"], match[0]), text)


def _pattern(text: str, groups: Groups) -> str:
    """A pattern with the values of the groups that it names, as they stand."""
    return _filled(text, {name: re.escape(value) for name, value in groups.items()})


_PLACE = re.compile(r"\{(?P<name>[a-z_]{2,20})\}")
"""The name of a group in braces. Those of a pattern's repetitions are numbers."""
