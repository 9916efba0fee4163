"""A network again as it is, with a change.

A script from its inspect and those of its containers: they come back with their aliases and fixed
addresses, and the network keeps its labels, by which compose knows it. Pure.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.recreate import compose_keys
from diagnose.recreate.options import Inspect, NoRecreateError, Option, networks_of
from diagnose.redact import holds_token

_COMPOSE = "com.docker.compose."
_PREDEFINED = frozenset({"bridge", "host", "none", "podman"})
_POOL = {"Subnet": "subnet", "IPRange": "ip-range", "Gateway": "gateway"}
_FLAGS = {"Internal": "internal", "Attachable": "attachable", "EnableIPv6": "ipv6"}
_FIXED = frozenset({"ip", "ip6"})
"""Options of an endpoint that only the subnet of now has room for."""


def _refuse_secrets(name: str, words: Iterable[str]) -> None:
    if any(map(holds_token, words)):
        raise NoRecreateError(f'network "{name}" has a secret in its options: create it by hand')


def script(
    network: Inspect,
    members: Iterable[Inspect],
    change: Sequence[str],
    without: frozenset[str] = frozenset(),
    docker: str = "docker",
) -> str:
    """A shell script that recreates the network.

    A test network with the change is created first: where the engine refuses the change, nothing
    happens. Where the network itself cannot be created, it is made as it was.

    change: options of `docker network create`, behind those that the network has; of an `--opt`,
    the last one counts. without: long names of options to leave out; `subnet` takes the gateway,
    the range and the fixed addresses along. NoRecreateError where something would be lost.
    """
    name = str(network["Name"])
    _refuse_what_is_not_ours(network, name)
    forgets = "subnet" in without
    left_out = without | ({"gateway", "ip-range", "aux-address"} if forgets else set())
    before = list(_options(network))
    after = [option for option in before if option.name not in left_out]
    words = [option.text for option in after] + list(change)
    endpoints = {
        member_name: _options_of_endpoint(member, name, forgets=forgets)
        for member_name, member in _members_with_names(members)
    }
    # a fixed address must not have been given to another container before
    ordered = sorted(endpoints.items(), key=lambda endpoint: not _FIXED & _names(endpoint[1]))
    _refuse_secrets(name, [*words, *(option.text for _, options in ordered for option in options)])
    return _NetworkScript(
        name,
        docker,
        trial=[f"--driver={network['Driver']}", *change],
        old=[option.text for option in before],
        new=words,
        endpoints=dict(ordered),
        notes=_notes(network, change),
    ).text()


class _NetworkScript(msgspec.Struct, frozen=True):
    """Tries the change, disconnects the containers, replaces the network and connects them."""

    name: str
    docker: str
    trial: Sequence[str]
    """The options of a network that shows whether the engine takes the change."""
    old: Sequence[str]
    """The options of the network of now."""
    new: Sequence[str]
    endpoints: Mapping[str, Sequence[Option]]
    """The options with which each container is connected, by its name."""
    notes: Sequence[str]

    def text(self) -> str:
        """The script as a whole."""
        network = shlex.quote(self.name)
        trial = shlex.quote(f"trial-{self.name}")
        docker = self.docker
        create = f"{self.docker} network create"
        return "\n".join(
            [
                "#!/bin/sh",
                f"# Creates network {self.name} again. Its containers are disconnected meanwhile.",
                "set -e",
                f"{create} {shlex.join(self.trial)} {trial} >/dev/null",
                f"{docker} network rm {trial} >/dev/null",
                "lost=",
                "connect() {",
                *self._connections(network),
                "    return 0",
                "}",
                "back() {",
                "    echo 'the network is made as it was' >&2",
                f"    {create} {shlex.join(self.old)} {network}",
                "    connect",
                "    exit 1",
                "}",
                *(
                    f"{docker} network disconnect --force {network} {shlex.quote(member)} || true"
                    for member in self.endpoints
                ),
                f"{docker} network rm {network} || {{ connect; exit 1; }}",
                f"{create} {shlex.join(self.new)} {network} || back",
                "connect",
                *(f"echo {shlex.quote(note)} >&2" for note in self.notes),
                '[ -z "$lost" ] || { echo "not connected:$lost" >&2; exit 1; }',
                "",
            ]
        )

    def _connections(self, network: str) -> Iterator[str]:
        """A command for each container; those that fail are named at the end."""
        for name, options in self.endpoints.items():
            words = "".join(f"{shlex.quote(option.text)} " for option in options)
            member = shlex.quote(name)
            yield (
                f"    {self.docker} network connect {words}{network} {member} "
                f'|| lost="$lost "{member}'
            )


def _options(network: Inspect) -> Iterator[Option]:
    """The options that the network was made with. Its subnets stay, chosen by hand or not."""
    yield Option("driver", str(network["Driver"]))
    for key, name in _FLAGS.items():
        if network.get(key):
            yield Option(name)
    if network.get("EnableIPv4") is False:
        yield Option("ipv4", "false")
    ipam = network.get("IPAM") or {}
    if ipam.get("Driver") not in (None, "", "default", "host-local"):
        yield Option("ipam-driver", ipam["Driver"])
    yield from _entries("ipam-opt", ipam.get("Options"))
    for pool in ipam.get("Config") or ():
        for key, name in _POOL.items():
            if pool.get(key):
                yield Option(name, str(pool[key]))
        yield from _entries("aux-address", pool.get("AuxiliaryAddresses"))
    yield from _entries("opt", network.get("Options"))
    yield from _entries("label", network.get("Labels"))


def _entries(name: str, entries: Mapping[str, object] | None) -> Iterator[Option]:
    """An option that is given once for each entry."""
    for key, value in (entries or {}).items():
        yield Option(name, f"{key}={value}")


def _members_with_names(members: Iterable[Inspect]) -> Iterator[tuple[str, Inspect]]:
    for member in members:
        yield str(member["Name"]).removeprefix("/"), member


def _options_of_endpoint(member: Inspect, network: str, *, forgets: bool) -> list[Option]:
    options = dict(networks_of(member)).get(network, [])
    return [option for option in options if not (forgets and option.name in _FIXED)]


def _names(options: Iterable[Option]) -> set[str]:
    return {option.name for option in options}


def _refuse_what_is_not_ours(network: Inspect, name: str) -> None:
    if name in _PREDEFINED:
        raise NoRecreateError(f'network "{name}" is the engine\'s own: it cannot be removed')
    if network.get("Scope") not in ("local", None, "") or network.get("Ingress"):
        raise NoRecreateError(
            f'network "{name}" belongs to the swarm: remove its services first, '
            "then create it and them again"
        )


def _notes(network: Inspect, change: Sequence[str]) -> list[str]:
    """Notes on what else may undo the change, line by line."""
    labels = network.get("Labels") or {}
    key = labels.get(f"{_COMPOSE}network")
    if not key:
        return []
    project = labels.get(f"{_COMPOSE}project") or "its project"
    begin = (
        f"Compose made it: change the file of {project} too, "
        "or the next `docker compose down` and `up` undo the change."
    )
    lines = compose_keys.lines_of_network(change)
    if lines:
        begin += f" Below `networks:`, `{key}:` write:"
    notes = [begin, *(f"    {line}" for line in lines)]
    return [" ".join(note.splitlines()) for note in notes]
