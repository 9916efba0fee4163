"""Clients on Docker's own networks that a program refuses, and its lists that leave them out.

The log has the refusal with the client's address; a variable, an option or a small file of settings
has the list.
"""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, ip_network

import msgspec

from diagnose.address_lists import IS_LIST, AddressList, Subnet, entries_of, holds, networks_of
from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.mounts.mounted_settings import (
    SETTINGS_FILE,
    SETTINGS_FOLDER,
    mounted_settings,
)
from diagnose.evidence.containers.peers.refused_callers import RefusedCallers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import Network, Networks, is_within
from diagnose.lazy_pattern import LazyPattern, RarePattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

LEAST = 2
"""Minimum number of lines that refuse one address."""
FRESH_S = 300.0
MOST = 6
"""Programs whose files are read."""
_FORBIDDEN = 403
_REFUSED = RarePattern(
    r"""(?xi)
      \b (?: access[ ](?:denied|forbidden) | forbidden[ ]by | denied[ ]by | relay(?:ing)?[ ](?:access[ ])?denied
        | relay[ ]not[ ]permitted | no[ ]pg_hba\.conf[ ]entry | client[ ](?:denied|host[ ]rejected)
        | not[ ](?:in[ ](?:the[ ]|any[ ]of[ ]the[ ])?)? (?:allow|permit|white-?list|trust)\w{0,5}
        | query\b.{0,80}\bdenied | untrusted | disallowed | blocked | rejecting | not[ ]set-up[ ]for[ ]reverse )
    """
)
"""Words of a program that takes nothing from an address: nginx, Apache, Postfix, Exim, PostgreSQL,
BIND, Traefik, rsync and others."""
_LIMITED = RarePattern(r"limiting (?:requests|connections)|too many requests")
"""Words that are about all visitors of a proxy as well, where its list leaves the proxy out."""
_OF_PROXY = RarePattern(r"(?i)prox(?:y|ies)|x-forwarded|forwarded[ -]for|real[ -]ip")
_OF_LOGIN = RarePattern(
    r"(?i)password|credential|log[io]n|token|\buser\b.{0,40}\bnot allowed|permission denied"
)
"""Refusals that no address decides."""
_ADDRESS = LazyPattern(r"(?<![\w./])(?<!\d:)\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d)")
_SESSION = LazyPattern(
    r"for host \"[^\"]{1,60}\", user \"(?P<user>[^\"]{1,80})\", database \"(?P<base>[^\"]{1,80})\""
)
"""The user and the database of a session that PostgreSQL refuses."""
_RULE = LazyPattern(r"host\w* (?P<base>\S+) (?P<user>\S+)")
_DATA = "/var/lib/postgresql/data"
PERMIT_DOCKER = "PERMIT_DOCKER"
"""A variable of docker-mailserver whose values are words for Docker's networks."""


class ListPlace(msgspec.Struct, frozen=True):
    """The place of a list: a variable, an option, or a file."""

    path: str = ""
    """The file in the container; "" for a variable or an option."""
    on_host: str = ""
    """The same file on the host; "" where it is in no mount."""
    is_variable: bool = False


class NarrowRange(msgspec.Struct, frozen=True):
    """A list that leaves out a client on a network of its program, which refuses that client."""

    container: Container
    address: str
    network: Network
    subnet: str
    client: Container | None
    """The container that has the address; None for the gateway, or where none has it now."""
    list: AddressList
    place: ListPlace
    line: str
    """The last line about the refusal."""
    times: int

    @property
    def is_gateway(self) -> bool:
        """Whether programs of the host itself come from the address."""
        return self.address in self.network.gateways


class NarrowRanges(Items[NarrowRange], frozen=True):
    """At most one for each program and client."""


class _Refusal(msgspec.Struct, frozen=True):
    container: Container
    address: str
    network: Network
    line: str
    times: int


class _PlacedList(msgspec.Struct, frozen=True):
    list: AddressList
    place: ListPlace


@evidence
def narrow_ranges(
    host: Host,
    containers: Containers,
    networks: Networks,
    recent_logs: RecentLogs,
    refused_callers: RefusedCallers | None,
    clock: Clock,
) -> NarrowRanges:
    """The lists that leave out a client whom their program refuses.

    Files are read of programs alone that refuse an address of a network of their own.
    """
    refusals = [
        refusal
        for container in containers.running
        for refusal in _refusals(container, networks, recent_logs, clock)
    ]
    logged = {(refusal.container.id, refusal.address) for refusal in refusals}
    refusals += [
        refusal
        for refusal in _refusals_of_calls(refused_callers, networks)
        if (refusal.container.id, refusal.address) not in logged
    ]
    lists_by_id: dict[str, tuple[_PlacedList, ...]] = {}
    ranges = []
    for refusal in host.first(refusals, MOST, "clients that a program refuses"):
        container = refusal.container
        if container.id not in lists_by_id:
            lists_by_id[container.id] = tuple(_lists(host, container))
        placed = _narrow_list(refusal, lists_by_id[container.id], containers, networks)
        if placed is not None:
            ranges.append(_narrow_range(refusal, placed, containers))
    return NarrowRanges(tuple(ranges))


def _narrow_range(refusal: _Refusal, placed: _PlacedList, containers: Containers) -> NarrowRange:
    """The refusal with its list, the subnet and the holder of the refused address."""
    network = refusal.network
    subnets = [subnet for subnet in network.subnets if is_within(refusal.address, subnet)]
    return NarrowRange(
        refusal.container,
        refusal.address,
        network,
        subnet=str(subnets[0]),
        client=containers.by_place.get((network.name, refusal.address)),
        list=placed.list,
        place=placed.place,
        line=refusal.line,
        times=refusal.times,
    )


def _refusals(
    container: Container, networks: Networks, recent_logs: RecentLogs, clock: Clock
) -> Iterator[_Refusal]:
    """The addresses of a container's own networks that it lately refused."""
    places = networks.places_of(container)
    lines_by_address: dict[str, list[RecentLine]] = {}
    for line in recent_logs.of_this_run(container) if places else ():
        if _is_refusal(line.text):
            for address in dict.fromkeys(_ADDRESS.findall(line.text)):
                lines_by_address.setdefault(address, []).append(line)
    for address, lines in lines_by_address.items():
        network = _network_of(address, places_of=container, networks=networks)
        is_now = len(lines) >= LEAST and clock.is_within(lines[-1].at, FRESH_S)
        if network is not None and is_now:
            yield _Refusal(container, address, network, lines[-1].text, len(lines))


def _is_refusal(text: str) -> bool:
    """Whether a program turns somebody away, for another reason than a wrong login."""
    is_about_address = _REFUSED.search(text) is not None or _LIMITED.search(text) is not None
    return is_about_address and not _OF_LOGIN.search(text) and not signs(text) & CALL_FAILED


def _network_of(address: str, *, places_of: Container, networks: Networks) -> Network | None:
    """The network of a container that holds another one's address; None for its own address."""
    if address in places_of.addresses:
        return None
    for network, _ in networks.places_of(places_of):
        if any(is_within(address, subnet) for subnet in network.subnets):
            return network
    return None


def _refusals_of_calls(
    refused_callers: RefusedCallers | None, networks: Networks
) -> Iterator[_Refusal]:
    """The callers that another container answers with 403, by the address that they have there."""
    for refused in refused_callers or ():
        if refused.status != _FORBIDDEN:
            continue
        for name in sorted(refused.caller.shared_networks(refused.server)):
            network = networks.by_name.get(name)
            address = refused.caller.endpoints[name].ip_address
            if network is not None and address:
                yield _Refusal(refused.server, address, network, refused.line, refused.times)


def _narrow_list(
    refusal: _Refusal, lists: Sequence[_PlacedList], containers: Containers, networks: Networks
) -> _PlacedList | None:
    """The first list that decides about the refused client, and leaves it out.

    A list of proxies comes first where it is meant, or where it stands in the file of the other.
    """
    is_of_proxy = _OF_PROXY.search(refusal.line) is not None
    is_limit = _LIMITED.search(refusal.line) is not None
    is_host = refusal.address in refusal.network.gateways
    lists = _lists_for_session(refusal.line, lists)
    for placed in sorted(lists, key=lambda placed: not placed.list.is_of_proxies):
        if placed.list.is_of_proxies:
            is_meant = is_of_proxy or _is_of_nginx(placed)
        else:
            is_meant = not (is_of_proxy or is_limit or is_host)
        if is_meant and _leaves_out(placed.list, refusal, containers, networks):
            return placed
    return None


def _is_of_nginx(placed: _PlacedList) -> bool:
    """Whether a web server takes its clients' addresses from those proxies, and judges these."""
    name = placed.list.name.lower()
    return name.endswith("real_ip_from") or name.startswith("remoteip")


def _lists_for_session(line: str, lists: Sequence[_PlacedList]) -> Sequence[_PlacedList]:
    """The lists without the rules of PostgreSQL, but for those of the refused user and database,
    as one list."""
    session = _SESSION.search(line)
    others = [placed for placed in lists if not _RULE.fullmatch(placed.list.name)]
    if session is None:
        return others
    rules = [placed for placed in lists if placed not in others]
    own_rules = [
        placed
        for placed in rules
        if _RULE.fullmatch(placed.list.name) is not None
        and _is_for(placed.list.name, session["base"], session["user"])
    ]
    if not own_rules:
        return others
    entries = tuple(entry for placed in own_rules for entry in placed.list.entries)
    last = own_rules[-1]
    return [
        *others,
        msgspec.structs.replace(last, list=msgspec.structs.replace(last.list, entries=entries)),
    ]


def _is_for(rule: str, base: str, user: str) -> bool:
    """Whether a rule of PostgreSQL is about this database and this user."""
    match = _RULE.fullmatch(rule)
    if match is None:
        return False
    return _has_word(match["base"], base) and _has_word(match["user"], user)


def _has_word(names: str, name: str) -> bool:
    """Whether names of a rule, with commas between them, hold a name or stand for all."""
    return not {name, "all"}.isdisjoint(names.split(","))


def _leaves_out(
    addresses: AddressList, refusal: _Refusal, containers: Containers, networks: Networks
) -> bool:
    """Whether a list is understood as a whole, and does not hold the refused address."""
    held: list[Subnet] = []
    for entry in addresses.entries:
        nets = _networks_for(entry, addresses.name, refusal.container, containers, networks)
        if nets is None:
            return False
        held.extend(nets)
    is_list = bool(held) or addresses.name == PERMIT_DOCKER
    return is_list and not holds(tuple(held), refusal.address)


def _networks_for(
    entry: str, name: str, container: Container, containers: Containers, networks: Networks
) -> Iterable[Subnet] | None:
    """The networks of an entry; those of a container for its name; None for any other word."""
    own_subnets = [subnet for network in networks.of(container) for subnet in network.subnets]
    if name == PERMIT_DOCKER:
        words: dict[str, Sequence[Subnet]] = {
            "none": (),
            "container": [ip_network(address) for address in container.addresses],
            "host": own_subnets,
            "connected-networks": own_subnets,
            "network": (IPv4Network("172.16.0.0/12"),),
        }
        return words.get(entry)
    if entry == "samenet":
        return own_subnets
    plain = networks_of(entry)
    if plain is not None:
        return plain
    holders = containers.by_dns_name.get(entry, ())
    return [ip_network(address) for holder in holders for address in holder.addresses] or None


def _lists(host: Host, container: Container) -> Iterator[_PlacedList]:
    """The lists in the variables and the command of a container, and in its files of settings."""
    for name, value in container.config.environment:
        if IS_LIST.search(name) is not None:
            yield _PlacedList(AddressList(name, entries_of(value)), ListPlace(is_variable=True))
    yield from _lists_in_words(container.config.words)
    seen = set()
    for settings in mounted_settings(
        host, container, "address lists", SETTINGS_FILE, SETTINGS_FOLDER, with_volumes=True
    ):
        seen.add(settings.path)
        inside = _path_inside(container, settings.path)
        yield from _placed(settings.text, ListPlace(inside, settings.path))
    for path in _usual_files(container):
        mount = innermost_mount(container.mounts, path)
        on_host = mount.on_host(path) if mount is not None and mount.has_host_path else ""
        if on_host in seen:
            continue
        text = host.ask(
            ReadFile(path, root=f"/proc/{container.state.pid}/root", parts="address lists")
        )
        if not isinstance(text, Failed):
            yield from _placed(text.text, ListPlace(path, on_host))


def _lists_in_words(words: Sequence[str]) -> Iterator[_PlacedList]:
    """The lists in the options of a command: --trusted-ips=10.0.0.0/8, --trusted-ips 10.0.0.0/8."""
    for place, word in enumerate(words):
        option, is_set, value = word.partition("=")
        if not option.startswith("-") or IS_LIST.search(option) is None:
            continue
        given = value if is_set else "".join(words[place + 1 : place + 2])
        if not given.startswith("-"):
            yield _PlacedList(AddressList(option, entries_of(given)), ListPlace())


def _path_inside(container: Container, on_host: str) -> str:
    """The path in the container of a file of the host, by the mount that has it."""
    for mount in container.mounts:
        if on_host == mount.source:
            return mount.destination
        if on_host.startswith(f"{mount.source}/"):
            return f"{mount.destination}{on_host.removeprefix(mount.source)}"
    return on_host


def _usual_files(container: Container) -> tuple[str, ...]:
    """The files in which well-known servers have their lists, mounted or not."""
    data = container.config.value_of("PGDATA") or _DATA
    return (
        "/etc/nginx/nginx.conf",
        "/etc/nginx/conf.d/default.conf",
        "/etc/postfix/main.cf",
        f"{data}/pg_hba.conf",
    )


def _placed(text: str, place: ListPlace) -> Iterator[_PlacedList]:
    """The lists of the answer of a file."""
    for line in text.splitlines():
        yield _PlacedList(msgspec.json.decode(line, type=AddressList), place)
