"""Which DNS servers the host and its containers are configured with, and by which way a query would go to
each."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

EMBEDDED = "127.0.0.11"
"""The engine's own resolver, inside the namespace of each container on a user-defined network."""

FALLBACK = ("8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844")
"""What engines give containers when the host's resolv.conf leaves nothing that a container could use."""

HOST_FILE = "/etc/resolv.conf"
RESOLVED_FILE = "/run/systemd/resolve/resolv.conf"
"""systemd-resolved's list of real servers, which engines read when the host's file holds its stub 127.0.0.53
alone."""

MAX_SERVERS = 3
"""How many servers are ever asked: by the C libraries (MAXNS of glibc and musl) and by the engine's resolver; more are ignored."""

_EXTERNAL = re.compile(r"^# ExtServers: \[(.*)\]$", re.MULTILINE)
_NONE_LEFT = "NO EXTERNAL NAMESERVERS DEFINED"


class Upstream(msgspec.Struct, frozen=True):
    """A server that names are asked of in the end. by_host: the query leaves from the host's namespace, not
    the container's."""

    server: str
    by_host: bool = False


class ResolvConf(msgspec.Struct, frozen=True):
    """One resolv.conf. external: what the embedded resolver asks, None where the engine does not write it
    down (before 26).

    none_left: the engine's own comment that it knows no server (28.1 and newer). mtime: Unix time of the last
    edit, where it was asked for.
    """

    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    external: tuple[Upstream, ...] | None = None
    none_left: bool = False
    mtime: float | None = None

    @property
    def ndots(self) -> int:
        """How many dots a name must have to be asked as it is first."""
        values = [each.partition(":")[2] for each in self.options if each.startswith("ndots:")]
        return int(values[-1]) if values and values[-1].isdigit() else 1

    @property
    def is_embedded(self) -> bool:
        return EMBEDDED in self.nameservers

    @property
    def beyond_loopback(self) -> tuple[str, ...]:
        """The servers that are not the machine itself."""
        return tuple(each for each in self.nameservers if not is_loopback(each))


def is_loopback(server: str) -> bool:
    """Whether an address is the machine's own; an interface behind % does not matter. False for what is no
    address."""
    try:
        return ipaddress.ip_address(server.partition("%")[0]).is_loopback
    except ValueError:
        return False


def parse(text: str) -> ResolvConf:
    """A resolv.conf as the C library reads it (the last search or domain line counts), with the comments of
    engines from 26 on."""
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
    said = _EXTERNAL.search(text)
    external = tuple(_upstream(word) for word in said[1].split()) if said else None
    return ResolvConf(
        tuple(nameservers), search, tuple(options), () if _NONE_LEFT in text else external, _NONE_LEFT in text
    )


def _upstream(word: str) -> Upstream:
    if word.startswith("host(") and word.endswith(")"):
        return Upstream(word[5:-1], by_host=True)
    return Upstream(word)


class Resolvers(msgspec.Struct, frozen=True):
    """host: the host's own file, resolved: systemd-resolved's; Unavailable with reason missing where there is
    none.

    configured: the servers that the daemon was told. inside: what each running container with a network of
    its own has, by id.
    """

    host: ResolvConf | Unavailable
    resolved: ResolvConf | Unavailable
    configured: tuple[str, ...]
    inside: dict[str, ResolvConf]
    unread: tuple[Unexamined, ...] = ()

    def __len__(self) -> int:
        return len(self.inside) + 1

    @property
    def host_unread(self) -> Unavailable | None:
        """Why it is not known what the host's file says; None where it was read, or there is none."""
        return self.host if isinstance(self.host, Unavailable) and self.host.reason != "missing" else None

    @property
    def host_servers(self) -> tuple[str, ...]:
        """What the host's own programs ask: the first that its file lists, a loopback address included."""
        return self.host.nameservers[:MAX_SERVERS] if isinstance(self.host, ResolvConf) else ()

    @property
    def engine_file(self) -> ResolvConf | Unavailable:
        """The file that an engine reads: systemd-resolved's own where the host's names its stub alone."""
        if self.host_servers == ("127.0.0.53",) and isinstance(self.resolved, ResolvConf):
            return self.resolved
        return self.host

    @property
    def engine_view(self) -> tuple[str, ...]:
        """The host's servers that an engine may hand to a container: what lies beyond loopback."""
        seen = self.engine_file
        return seen.beyond_loopback if isinstance(seen, ResolvConf) else ()

    @property
    def only_ipv6(self) -> bool:
        """Whether nothing of the host's is left for a network without IPv6: engines drop IPv6 servers there."""
        return bool(self.engine_view) and all(":" in each for each in self.engine_view)

    def upstreams(self, container: Container) -> tuple[Upstream, ...]:
        """The servers that this container's questions end at, in the order in which they are asked; none if
        not known."""
        conf = self.inside.get(container.id)
        if conf is None:
            return ()
        if not conf.is_embedded:
            return tuple(Upstream(each) for each in conf.nameservers[:MAX_SERVERS])
        if conf.external is not None:
            return conf.external[:MAX_SERVERS]
        # Engines before 26 leave IPv6 servers out where the network has no IPv6.
        of_host = tuple(each for each in self.engine_view if ":" not in each)
        named = tuple(container.host_config.dns or ()) or self.configured or of_host or FALLBACK[:2]
        return tuple(Upstream(each) for each in named[:MAX_SERVERS])

    def has_own_servers(self, container: Container) -> bool:
        """Whether its servers were given when it was created, so that the host's do not concern it."""
        return bool(container.host_config.dns)


def resolving(containers: Containers) -> Iterator[Container]:
    """The running containers that have a resolv.conf of their own."""
    for each in containers.running:
        mode = each.host_config.network_mode
        if mode not in ("host", "none") and not mode.startswith("container:") and each.resolv_conf_path:
            yield each


@evidence
def resolvers(host: Host, containers: Containers | Unavailable, daemon: DaemonConfig | Unavailable) -> Resolvers:
    """The host's files, the engine's configuration, and the file that the engine keeps for each container.

    That one is read, and not the container's own path, which the container controls. Its folder is open to
    root only.
    """
    configured = daemon.value("dns") if isinstance(daemon, DaemonConfig) else None
    known = list(resolving(containers)) if isinstance(containers, Containers) else []
    inside: dict[str, ResolvConf] = {}
    missing: list[Unexamined] = []
    asked = {question("file.read", path=each.resolv_conf_path, follow=False): each for each in known}
    for each, answer in host.ask_many(asked):
        container = asked[each]
        if isinstance(answer, Failed):
            missing.append(Unexamined(container.subject, f"its resolv.conf: {answer}"))
        else:
            inside[container.id] = parse(answer["text"])
    return Resolvers(
        _read(host, HOST_FILE),
        _read(host, RESOLVED_FILE),
        tuple(str(each) for each in configured or ()),
        inside,
        tuple(sorted(missing, key=lambda each: each.subject)),
    )


def _read(host: Host, path: str) -> ResolvConf | Unavailable:
    answer = host.ask(question("file.read", path=path))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    return replace(parse(answer["text"]), mtime=answer["mtime"])
