"""Legacy plugins of the engine: programs that the engine reaches through a socket of their own."""

import json
import posixpath
from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.model import DAEMON, Failed, Unavailable, Unexamined
from diagnose.questions import Host
from diagnose.questions.engine import PluginNames
from diagnose.questions.files import FolderListing, ListFolder, ReadFile, SocketTrial, TrySockets
from diagnose.registry import evidence

SOCKETS = "/run/docker/plugins"
SPECS = ("/etc/docker/plugins", "/usr/lib/docker/plugins")
_ENDINGS = (".spec", ".json")
_UNIX = "unix://"
_BUILT_IN = frozenset({"local", "bridge", "host", "ipvlan", "macvlan", "null", "overlay"})
MISSING = "no such file or directory"
_FAILURES = {"refused": "connection refused", "missing": MISSING}


class LegacyPlugin(msgspec.Struct, frozen=True):
    """A legacy plugin of the engine."""

    name: str
    file: str
    """The socket or the spec by which the engine finds it; "" for one that only the engine's memory
    has."""
    socket: str
    """The address at which the engine calls the plugin."""
    failure: str = ""
    """The reason why no program answers there; "" if one listens."""

    @property
    def is_spec(self) -> bool:
        return bool(self.file) and self.file != self.socket


class LegacyPlugins(Items[LegacyPlugin], frozen=True):
    """The legacy plugins that were tried."""

    in_memory: frozenset[str] = frozenset()
    of_networks: frozenset[str] = frozenset()
    """in_memory, of_networks: names of volume and network plugins that the engine has used since
    its start."""
    unexamined: tuple[Unexamined, ...] = ()

    def is_for_networks(self, plugin: LegacyPlugin) -> bool:
        """Whether the engine knows the plugin for networks alone: no list of volumes waits then."""
        return plugin.name in self.of_networks - self.in_memory

    @property
    def gone(self) -> tuple[LegacyPlugin, ...]:
        """The plugins whose program is gone."""
        return tuple(plugin for plugin in self.items if plugin.failure)


@evidence
def legacy_plugins(
    host: Host, daemon: Daemon, info: Info | Unavailable
) -> LegacyPlugins | Unavailable:
    """The plugins in the engine's plugin folders and in its memory.

    A socket is NAME.sock or NAME/NAME.sock; a spec holds an address and counts only without a
    socket of that name (moby pkg/plugins/discovery.go, the same from 20.10 to 28.5). A managed
    plugin has a tag in its name, and its folder is named by its id. An engine that starts waits for
    plugins before it answers, and has none in its memory.
    """
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    if isinstance(info, Unavailable) and not daemon.is_starting:
        return info
    drivers = PluginNames() if isinstance(info, Unavailable) else info.plugins
    in_memory = frozenset(filter(_is_legacy, drivers.volume or ()))
    of_networks = frozenset(filter(_is_legacy, drivers.network or ()))
    listings = _listings(host)
    if isinstance(listings, Unavailable):
        return listings
    with_socket = list(_candidates(listings.get(SOCKETS)))
    specs = _plugins_of_specs(host, listings, {plugin.name for plugin in with_socket})
    plugins = [*with_socket, *specs.plugins]
    plugins += _remembered_plugins(in_memory - {plugin.name for plugin in plugins})
    if not plugins:
        return LegacyPlugins((), in_memory, of_networks, tuple(specs.unexamined))
    trials = host.require(TrySockets([plugin.socket for plugin in plugins]))
    tried = _plugins_tried(plugins, trials, in_memory)
    unexamined = (*specs.unexamined, *tried.unexamined)
    return LegacyPlugins(tuple(tried.plugins), in_memory, of_networks, unexamined)


class _Plugins(msgspec.Struct):
    """Plugins, and those of which nothing is known."""

    plugins: list[LegacyPlugin] = msgspec.field(default_factory=list)
    unexamined: list[Unexamined] = msgspec.field(default_factory=list)


def _listings(host: Host) -> dict[str, FolderListing] | Unavailable:
    """The folders of plugins that exist."""
    listings = {}
    for folder in (SOCKETS, *SPECS):
        listing = host.ask(ListFolder(folder))
        if not isinstance(listing, Failed):
            listings[folder] = listing
        elif listing.reason != "missing":
            return Unavailable.of(listing)
    return listings


def _remembered_plugins(names: Iterable[str]) -> Iterator[LegacyPlugin]:
    """Plugins that the engine has in its memory, and that have no file any more."""
    for name in sorted(names):
        yield LegacyPlugin(name, "", f"{SOCKETS}/{name}.sock")


def _is_legacy(name: str) -> bool:
    """Whether a driver's name may be a legacy plugin's: a managed one has a tag."""
    return name not in _BUILT_IN and ":" not in name


def _candidates(listing: FolderListing | None) -> Iterator[LegacyPlugin]:
    entries = listing.entries if listing is not None else ()
    for entry in entries:
        if entry.type == "folder":
            path = f"{SOCKETS}/{entry.name}/{entry.name}.sock"
            yield LegacyPlugin(entry.name, path, path)
        elif entry.type == "other":
            path = f"{SOCKETS}/{entry.name}"
            yield LegacyPlugin(posixpath.splitext(entry.name)[0], path, path)


def _plugins_of_specs(
    host: Host, listings: dict[str, FolderListing], with_socket: set[str]
) -> _Plugins:
    """The plugins of spec files; an address on another host cannot be tried."""
    plugins: dict[str, LegacyPlugin] = {}
    unread = []
    for path in _spec_files(listings):
        name = posixpath.splitext(posixpath.basename(path))[0]
        if name in with_socket or name in plugins:
            continue
        text = host.ask(ReadFile(path))
        if isinstance(text, Failed):
            unread.append(Unexamined(DAEMON, f"{path}: {text}"))
            continue
        address = _address_in_spec(path, text.text)
        if address.startswith(_UNIX):
            plugins[name] = LegacyPlugin(name, path, address.removeprefix(_UNIX))
        else:
            unread.append(Unexamined(DAEMON, f'plugin "{name}" has another host\'s address'))
    return _Plugins(list(plugins.values()), unread)


def _spec_files(listings: dict[str, FolderListing]) -> Iterator[str]:
    for folder in SPECS:
        listing = listings.get(folder)
        entries = listing.entries if listing is not None else ()
        for entry in entries:
            if entry.type in ("file", "link") and entry.name.endswith(_ENDINGS):
                yield f"{folder}/{entry.name}"


def _address_in_spec(path: str, text: str) -> str:
    """The address in a spec: the whole text of a .spec, the field Addr of a .json."""
    if not path.endswith(".json"):
        return text.strip()
    try:
        written = json.loads(text)
    except ValueError:
        return ""
    return str(written.get("Addr", "")) if isinstance(written, dict) else ""


def _plugins_tried(
    plugins: Iterable[LegacyPlugin], trials: dict[str, SocketTrial], in_memory: frozenset[str]
) -> _Plugins:
    """The plugins with the reason why none answers."""
    tried = _Plugins()
    for plugin in plugins:
        failed = trials.get(plugin.socket, SocketTrial("missing")).failed
        is_of_folder = plugin.file == plugin.socket
        if failed == "missing" and is_of_folder and plugin.name not in in_memory:
            continue  # a managed plugin's folder, or gone since the folder was listed
        if failed and failed not in _FAILURES:
            attempt = f'plugin "{plugin.name}", {plugin.socket}: {failed}'
            tried.unexamined.append(Unexamined(DAEMON, attempt))
            continue
        failure = _FAILURES.get(failed, "")
        tried.plugins.append(msgspec.structs.replace(plugin, failure=failure))
    return tried
