"""Targets of Prometheus and its like that no container serves.

Such a program logs no call that fails: the target is DOWN on a page of its own, and a graph is
empty.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.mounted_settings import SETTINGS_FILE, mounted_settings
from diagnose.evidence.dns.query_plan import name_query
from diagnose.evidence.dns.resolvers import EMBEDDED, Resolvers
from diagnose.evidence.images.builds import repository_of
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces, had_time_to_listen
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.registry import evidence

MOST = 6
"""Programs whose files are read."""
_MOST_NAMES = 6
"""Names that the DNS is asked about for one program."""
SETTLED_S = 180.0
"""Seconds after a start within which a program opens its ports."""
_STOPPED = (0, 130, 137, 143)
"""Exit codes of a program that was stopped on purpose."""
_SCRAPES = LazyPattern(
    r"(?i)(?:^|[/_-])(?:prometheus|victoria-?metrics|vm-?agent|vmsingle)(?:[:@]|$)"
)
_FOLDER = LazyPattern(r"^/(?:etc|config|conf|opt|prometheus)(?:/|$)")
_NAMED_FILE = LazyPattern(r"--?(?:config\.file|promscrape\.config)[= ](?P<path>/\S{1,300})")
_USUAL_FILE = "/etc/prometheus/prometheus.yml"
_SHORT_NAME = LazyPattern(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}")
"""A name of one word, as containers have it."""


class AbsentTarget(msgspec.Struct, frozen=True):
    """A target in the settings of a program, at which nothing can answer."""

    container: Container
    """The program that collects."""
    name: str
    port: int
    path: str
    """The file on the host."""
    owner: Container | None = None
    """The container that has the name; None where no container of this host has it."""
    served: tuple[int, ...] = ()
    """The ports that this container serves in place of that one."""

    @property
    def place(self) -> str:
        return f"{self.name}:{self.port}"

    @property
    def is_apart(self) -> bool:
        """Whether the container of that name has no network in common with the program."""
        return self.owner is not None and not self.owner.shared_networks(self.container)


class AbsentTargets(Items[AbsentTarget], frozen=True):
    """By program, in the order of its files."""


@evidence
def absent_targets(
    host: Host,
    containers: Containers,
    namespaces: Namespaces | None,
    resolvers: Resolvers | None,
    clock: Clock,
) -> AbsentTargets:
    """The targets with names of one word that are not a container's, or a port that none serves.

    Files are read only of programs that collect figures by themselves. For a name
    that no container has, the engine's DNS is asked from the program's own network; a name that a
    search domain may complete is left out.
    """
    callers = [
        container
        for container in containers.running
        if container.has_engine_names and _SCRAPES.search(container.config.image)
    ]
    absent: list[AbsentTarget] = []
    for container in host.first(callers, MOST, "programs that collect figures"):
        unknown = 0
        targets = list(_targets(host, container))
        for target in targets:
            owners = containers.by_dns_name.get(target.name, [])
            if _is_spare(target, owners, targets, containers):
                continue
            if owners:
                absent += _unserved_target(target, owners, namespaces, clock)
            elif unknown < _MOST_NAMES and not _may_be_completed(container, resolvers):
                unknown += 1
                absent += _unknown_target(host, target)
    return AbsentTargets(tuple(absent))


def _targets(host: Host, container: Container) -> Iterator[AbsentTarget]:
    """The targets in its files, without those that it serves itself or that its settings name."""
    own_names = {"localhost", container.name, container.id[:12], container.config.hostname}
    own_names |= container.extra_names | container.linked_names
    used = _used_file(container)
    for mounted in mounted_settings(host, container, "scrape targets", SETTINGS_FILE, _FOLDER):
        if mounted.path != used:
            continue
        for place in dict.fromkeys(mounted.text.splitlines()):
            name, _, port = place.rpartition(":")
            if _SHORT_NAME.fullmatch(name) and name not in own_names and port.isdecimal():
                yield AbsentTarget(container, name, int(port), mounted.path)


def _used_file(container: Container) -> str:
    """The file on the host that the program takes its targets from; "" for one in the image."""
    named_file = _NAMED_FILE.search(" ".join(container.config.words))
    inside = named_file["path"] if named_file else _USUAL_FILE
    holder = innermost_mount(container.mounts, inside)
    return holder.on_host(inside) if holder is not None else ""


def _is_spare(
    target: AbsentTarget,
    owners: list[Container],
    targets: list[AbsentTarget],
    containers: Containers,
) -> bool:
    """Whether a target was stopped beside one of the same image that runs, as green beside blue."""
    owner = only(owners)
    if owner is None or owner.is_running or owner.state.exit_code not in _STOPPED:
        return False
    image = repository_of(owner.config.image)
    names = {other.name for other in targets if other.port == target.port} - {target.name}
    others = (other for name in names for other in containers.by_dns_name.get(name, ()))
    return any(other.is_running and repository_of(other.config.image) == image for other in others)


def _unserved_target(
    target: AbsentTarget, owners: list[Container], namespaces: Namespaces | None, clock: Clock
) -> Iterator[AbsentTarget]:
    """The target, if the only container of that name cannot answer it."""
    owners_beside = [owner for owner in owners if owner.shared_networks(target.container)]
    owner = only(owners_beside or owners)
    if owner is None:
        return
    owned_target = msgspec.structs.replace(target, owner=owner)
    if not owner.is_running or owned_target.is_apart:
        yield owned_target
        return
    netns = namespaces.of(owner) if namespaces is not None else None
    if netns is None or netns.serves_others("tcp", target.port):
        return
    if had_time_to_listen(netns, target.port, clock, SETTLED_S):
        yield msgspec.structs.replace(owned_target, served=tuple(netns.served_ports))


def _may_be_completed(container: Container, resolvers: Resolvers | None) -> bool:
    """Whether the resolver of a container adds a domain to a short name, or is not known."""
    conf = resolvers.inside.get(container.id) if resolvers is not None else None
    return conf is None or bool(conf.search)


def _unknown_target(host: Host, target: AbsentTarget) -> Iterator[AbsentTarget]:
    """The target, if the resolver of its program denies that the name exists."""
    reply = host.ask(name_query(EMBEDDED, target.name, target.container.state.pid))
    if not isinstance(reply, Failed) and reply.denies:
        yield target
