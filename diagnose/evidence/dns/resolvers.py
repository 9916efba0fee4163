"""The DNS servers that the host and its containers are configured with.

Where each comes from, and which way a query takes to it.
"""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.addresses import is_loopback
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.numbers import is_number
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, ReadFile
from diagnose.registry import evidence

EMBEDDED = "127.0.0.11"
"""The engine's own resolver, inside the namespace of each container on a user-defined network."""

FALLBACK = ("8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844")
"""Servers that engines give to containers when the host's resolv.conf has none that a container
could use."""

HOST_FILE = "/etc/resolv.conf"
RESOLVED_FILE = "/run/systemd/resolve/resolv.conf"
"""systemd-resolved's list of real servers, which engines read when the host's file holds its stub
127.0.0.53 alone."""

MAX_SERVERS = 3
"""How many servers are ever asked: by the C libraries (MAXNS of glibc and musl) and by the engine's
resolver; more are ignored."""

_WRITTEN_AT_START_S = 10.0
"""The engine writes a container's file before it notes the start; a busy host may delay the note.
"""
_BY_A_SCRIPT_S = 30.0
"""Seconds after the start within which an edit of the file is more likely a start script's than a
person's."""

_EXTERNAL = LazyPattern(r"^# ExtServers: \[(.*)\]$", re.MULTILINE)
_NONE_LEFT = "NO EXTERNAL NAMESERVERS DEFINED"
_DEFAULTS = "# Used default nameservers."


class Upstream(msgspec.Struct, frozen=True):
    """A server that names are asked of in the end."""

    server: str
    by_host: bool = False
    """The query leaves from the host's namespace, not the container's."""


OriginKind = Literal[
    "container", "daemon", "edited", "scripted", "fallback", "host", "earlier", "mount", "engine"
]


class ServerOrigin(msgspec.Struct, frozen=True):
    """The source of a container's DNS server.

    container: given when the container was created (`--dns`, compose `dns:`). daemon: the engine's
    configuration. edited: written into the container's resolv.conf. scripted: the same, soon after
    its start, as a start script does it each time. fallback: the engine's public servers. host: the
    host's file as it is now. earlier: the host's file as it was when the container started. mount:
    a file of the host's that is mounted over the container's resolv.conf. engine: a resolver of the
    engine's own on the bridge, as Podman has.
    """

    kind: OriginKind
    place: str

    def __str__(self) -> str:
        return f"from {self.place}"


class ResolvConf(msgspec.Struct, frozen=True):
    """A parsed resolv.conf."""

    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    external: tuple[Upstream, ...] | None = None
    """The servers of the embedded resolver, None where the engine does not write them down (before
    26)."""
    none_left: bool = False
    """The engine's own comment that it knows no server (28.1 and newer)."""
    has_defaults: bool = False
    """The engine's own comment that it gave its public servers, as the host had none."""
    mtime: float | None = None
    """Unix time of the last edit, where it was asked for."""

    @property
    def ndots(self) -> int:
        """The number of dots from which on a name is first asked without a search domain."""
        values = [
            option.partition(":")[2] for option in self.options if option.startswith("ndots:")
        ]
        return int(values[-1]) if values and is_number(values[-1]) else 1

    @property
    def is_embedded(self) -> bool:
        return EMBEDDED in self.nameservers

    @property
    def beyond_loopback(self) -> tuple[str, ...]:
        """The servers that are not the machine itself."""
        return tuple(server for server in self.nameservers if not is_loopback(server))


def parse(text: str) -> ResolvConf:
    """A resolv.conf as the C library reads it, with the comments of engines from 26 on.

    The last search or domain line counts.
    """
    nameservers: list[str] = []
    search: tuple[str, ...] = ()
    options: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0][0] in "#;":
            continue
        match words[0]:
            case "nameserver":
                nameservers.append(words[1])
            case "search" | "domain":
                search = tuple(words[1:])
            case "options":
                options += words[1:]
    forwarding = _EXTERNAL.search(text)
    external = tuple(_upstream(word) for word in forwarding[1].split()) if forwarding else None
    return ResolvConf(
        tuple(nameservers),
        search,
        tuple(options),
        () if _NONE_LEFT in text else external,
        none_left=_NONE_LEFT in text,
        has_defaults=_DEFAULTS in text,
    )


def _upstream(word: str) -> Upstream:
    if word.startswith("host(") and word.endswith(")"):
        return Upstream(word[5:-1], by_host=True)
    return Upstream(word)


class Resolvers(msgspec.Struct, frozen=True):
    """The resolv.conf files of this host and of its containers, and the engine's DNS servers."""

    host: ResolvConf | Unavailable
    """The host's own file. Unavailable with reason missing where there is none."""
    resolved: ResolvConf | Unavailable
    """systemd-resolved's, in the same way."""
    configured: tuple[str, ...]
    """The servers in the daemon's configuration."""
    inside: dict[str, ResolvConf]
    """The resolv.conf of each running container with a network of its own, by id."""
    unread: tuple[Unexamined, ...] = ()
    configured_in: str = "the daemon's configuration"
    """The place where these servers are configured, as a sentence names it."""
    dangling: str = ""
    """The target of the host's file where it is a link to nothing."""

    def __len__(self) -> int:
        return len(self.inside) + 1

    def origin(self, container: Container, server: str) -> ServerOrigin:
        """The source of this server of the container, by the choice that the engine would make."""
        mounted = _mounted_file(container)
        if mounted:
            return ServerOrigin("mount", f"{mounted}, which is mounted over /etc/resolv.conf")
        if server in (container.host_config.dns or ()):
            return ServerOrigin("container", f"the configuration of the container (dns {server})")
        if server in self.configured:
            return ServerOrigin("daemon", f"{self.configured_in} (dns)")
        if self._is_edited(container):
            return self._edit_of(container)
        if server in self.engine_view:
            return ServerOrigin(
                "host", HOST_FILE if self.engine_file is self.host else RESOLVED_FILE
            )
        if server in FALLBACK:
            return ServerOrigin("fallback", "the engine, which found no usable server on the host")
        return ServerOrigin(
            "earlier", f"{HOST_FILE} of the host as it was when the container started"
        )

    def _edit_of(self, container: Container) -> ServerOrigin:
        """The origin of an edit inside the container, by a person or by its start script."""
        conf = self.inside.get(container.id)
        began = container.started_at
        written = conf.mtime if conf is not None else None
        if began is None or written is None or written > began + _BY_A_SCRIPT_S:
            return ServerOrigin("edited", "an edit of /etc/resolv.conf inside the container")
        return ServerOrigin(
            "scripted",
            "an edit of /etc/resolv.conf inside the container, soon after its start: its start "
            "script may write the file each time",
        )

    def _is_edited(self, container: Container) -> bool:
        """Whether the file was written since the container's start, and not by the engine.

        The engine changes its own entry, for example when a network is connected, and a container
        on a network with names has no other one.
        """
        conf = self.inside.get(container.id)
        if conf is None or conf.is_embedded:
            return False
        if container.has_engine_names:
            return True
        if conf.mtime is None or container.started_at is None:
            return False
        return conf.mtime > container.started_at + _WRITTEN_AT_START_S

    @property
    def host_unread(self) -> Unavailable | None:
        """The reason why the host's file could not be read.

        None where it was read, or there is none.
        """
        if isinstance(self.host, Unavailable) and self.host.reason != "missing":
            return self.host
        return None

    @property
    def host_servers(self) -> tuple[str, ...]:
        """The DNS servers of the host's own programs.

        The first ones in its file, a loopback address included.
        """
        return self.host.nameservers[:MAX_SERVERS] if isinstance(self.host, ResolvConf) else ()

    @property
    def never_asked(self) -> tuple[str, ...]:
        """The servers behind those in the host's file, which no program asks."""
        return self.host.nameservers[MAX_SERVERS:] if isinstance(self.host, ResolvConf) else ()

    @property
    def engine_file(self) -> ResolvConf | Unavailable:
        """The file that an engine reads.

        systemd-resolved's own where the host's names its stub alone.
        """
        if self.host_servers == ("127.0.0.53",) and isinstance(self.resolved, ResolvConf):
            return self.resolved
        return self.host

    @property
    def engine_view(self) -> tuple[str, ...]:
        """The host's servers that an engine may hand to a container: those beyond loopback."""
        engine_file = self.engine_file
        return engine_file.beyond_loopback if isinstance(engine_file, ResolvConf) else ()

    @property
    def only_ipv6(self) -> bool:
        """Whether nothing of the host's is left for a network without IPv6.

        Engines drop IPv6 servers there.
        """
        return bool(self.engine_view) and all(":" in server for server in self.engine_view)

    def upstreams(self, container: Container) -> tuple[Upstream, ...]:
        """The servers that this container's questions end at, in the order in which they are asked.

        Empty if they are not known.
        """
        conf = self.inside.get(container.id)
        if conf is None:
            return ()
        if not conf.is_embedded:
            return tuple(Upstream(server) for server in conf.nameservers[:MAX_SERVERS])
        if conf.external is not None:
            return conf.external[:MAX_SERVERS]
        # Engines before 26 leave IPv6 servers out where the network has no IPv6.
        of_host = tuple(server for server in self.engine_view if ":" not in server)
        servers = self._chosen_servers(container) or of_host or FALLBACK[:2]
        return tuple(Upstream(server) for server in servers[:MAX_SERVERS])

    def at_next_start(self, container: Container) -> tuple[Upstream, ...]:
        """The servers that the engine gives a container when it starts it again."""
        servers = self._chosen_servers(container) or self.engine_view
        return tuple(Upstream(server) for server in servers[:MAX_SERVERS])

    def _chosen_servers(self, container: Container) -> tuple[str, ...]:
        """The servers that its creation or the daemon's configuration names, if any."""
        return tuple(container.host_config.dns or ()) or self.configured

    def uses_fallback(self, container: Container) -> bool:
        """Whether the engine gave it its own public servers, or none, for lack of the host's."""
        conf = self.inside.get(container.id)
        if conf is None or self.has_own_servers(container):
            return False
        servers = [upstream.server for upstream in self.upstreams(container)]
        of_host = set(servers) & set(self.engine_view)
        is_foreign = set(servers) <= set(FALLBACK) and not of_host
        return conf.none_left or is_foreign

    def has_own_servers(self, container: Container) -> bool:
        """Whether its servers were given when it was created.

        The host's do not concern such a container.
        """
        return bool(container.host_config.dns)


def _mounted_file(container: Container) -> str:
    """The host's file that is mounted over a container's resolv.conf; empty if none is."""
    mount = container.mount_at(HOST_FILE)
    return (mount.source or "a file of the host") if mount is not None else ""


def resolving_containers(containers: Containers) -> Iterator[Container]:
    """The running containers that have a resolv.conf of their own."""
    for container in containers.running:
        has_own = not container.shares_network and container.host_config.network_mode != "none"
        if has_own and container.resolv_conf_path:
            yield container


@evidence
def resolvers(host: Host, containers: Containers | None, daemon: DaemonConfig | None) -> Resolvers:
    """The files that say which DNS servers are asked.

    The host's, the engine's configuration, and the one that the engine keeps for each
    container.

    That file is read, and not the container's own path, which the container controls. Its folder is
    open to root only.
    """
    configured = daemon.value("dns") if daemon is not None else None
    users = [] if containers is None else list(resolving_containers(containers))
    inside: dict[str, ResolvConf] = {}
    missing: list[Unexamined] = []
    for container, file in host.ask_about(
        users, lambda container: ReadFile(container.resolv_conf_path, follow=False)
    ):
        if isinstance(file, Failed):
            missing.append(Unexamined(container.subject, f"its resolv.conf: {file}"))
        else:
            inside[container.id] = replace(parse(file.text), mtime=file.mtime)
    return Resolvers(
        _read(host, HOST_FILE),
        _read(host, RESOLVED_FILE),
        tuple(str(server) for server in configured or ()),
        inside,
        tuple(sorted(missing, key=lambda unexamined: unexamined.subject)),
        configured_in=daemon.where("dns") if daemon is not None else "the daemon's configuration",
        dangling=_dangling_target(host),
    )


def _dangling_target(host: Host) -> str:
    """The target of the host's resolv.conf where it is a dangling link; or ""."""
    statuses = path_statuses(host, [HOST_FILE], follow=False)
    link = statuses.get(HOST_FILE, NOT_ASKED).link or ""
    return link if isinstance(_read(host, HOST_FILE), Unavailable) else ""


def _read(host: Host, path: str) -> ResolvConf | Unavailable:
    file = host.ask(ReadFile(path))
    if isinstance(file, Failed):
        return Unavailable.of(file)
    return replace(parse(file.text), mtime=file.mtime)
