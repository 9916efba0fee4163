"""Identity of this host, and facts that may distinguish it within a fleet.

Almost all of it is evidence that a run of all checks collects anyway. Further questions are few:
the identity, the state of the clock, three listings of folders, the attributes of some files, and
os-release. Everyone may read these.
"""

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2s

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.images.listing import Images
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.evidence.run.report_header import ReportHeader
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import EvidenceGroup, Failed, HostProfile, Json, Unavailable
from diagnose.phrases import count, short_id
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import FolderListing, ListFolder, ReadFile
from diagnose.questions.machine import ReadClockState
from diagnose.questions.question import Question
from diagnose.questions.run import IdentifySite, SiteIdentity
from diagnose.redact import TOKEN
from diagnose.registry import evidence

FOLDERS = (
    "/etc/sysctl.d",
    "/etc/systemd/system/docker.service.d",
    "/etc/systemd/system/containerd.service.d",
)
"""Folders in which administrators configure the kernel and the units of the engine: sysctl.d(5),
systemd.unit(5). Packages write below /usr/lib."""
SINGLE_FILES = (
    "/etc/sysctl.conf",
    "/etc/docker/daemon.json",
    "/etc/containerd/config.toml",
    "/etc/resolv.conf",
)
OS_RELEASE = "/etc/os-release"
MOST_FILES = 60
MOST_IMAGES = 60
LONGEST = 60
"""Maximum number of characters of a value that is shown in full; a longer one is shown by its hash.
"""
_SECRET = LazyPattern(TOKEN)


def digest(text: str) -> str:
    """The first 12 hexadecimal digits of a text's BLAKE2s."""
    return blake2s(text.encode("utf-8", "replace"), digest_size=6).hexdigest()


def comparable(value: Json) -> str:
    """A value as text that is equal on two hosts where the value is.

    Redacted parts are left out: their tokens differ from run to run.
    """
    if isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    plain = _SECRET.sub("<redacted>", text)
    return plain if len(plain) <= LONGEST else f"hash {digest(plain)}"


class EngineSetup(EvidenceGroup, frozen=True):
    """The engine of a host, and its containers and images."""

    ping: Ping | None
    info: Info | None
    config: DaemonConfig | None
    containers: Containers | None
    images: Images | None

    def facts(self) -> Iterator[tuple[str, str]]:
        """The known facts of the engine, its configuration and its images."""
        if self.ping is not None:
            yield from _engine_facts(self.ping, self.info)
        if self.config is not None:
            yield from _configuration_facts(self.config)
        if self.containers is not None and self.images is not None:
            yield from _image_facts(self.containers, self.images)


class NetworkSetup(EvidenceGroup, frozen=True):
    """The network of a host."""

    firewall: Firewall | None
    resolvers: Resolvers | None
    uplinks: Uplinks | None
    interfaces: Interfaces | None
    routes: Routes | None

    def facts(self) -> Iterator[tuple[str, str]]:
        """Its filter, its DNS servers, and its uplink with network, MTU and gateway."""
        if self.firewall is not None:
            yield "firewall tables", ", ".join(_firewall_kinds(self.firewall)) or "none"
        if self.resolvers is not None and not isinstance(self.resolvers.host, Unavailable):
            nameservers = ", ".join(sorted(self.resolvers.host.nameservers))
            yield "resolvers", comparable(nameservers or "none")
        for uplink in list(self.uplinks or ())[:1]:
            yield "uplink", uplink.name
            yield "network", _network(uplink.address)
            mtu = [
                interface.mtu
                for interface in self.interfaces or ()
                if interface.name == uplink.name
            ]
            yield "uplink mtu", str(mtu[0]) if mtu else ""
        yield "gateway", ", ".join(sorted(_gateways(self.routes or ())))


@evidence
def host_profile(
    host: Host, header: ReportHeader | None, engine: EngineSetup, network: NetworkSetup
) -> HostProfile:
    """The profile of this host: a fact that could not be read is missing, never empty."""
    answers = dict(host.ask_many(_questions()))
    files = _files(host, answers)
    facts = dict(_machine_facts(header, answers))
    facts.update(engine.facts())
    facts.update(network.facts())
    facts.update(files.facts)
    site = answers[IdentifySite()]
    identity = SiteIdentity() if isinstance(site, Failed) else site
    return HostProfile(
        machine=identity.machine,
        name=identity.name,
        labels=identity.labels,
        facts={name: value for name, value in sorted(facts.items()) if value},
        changed=files.changed,
    )


def _questions() -> list[Question[Json]]:
    return [
        IdentifySite(),
        ReadClockState(),
        ReadFile(OS_RELEASE, max_bytes=4096),
        *map(ListFolder, FOLDERS),
    ]


class SteeringFiles(msgspec.Struct, frozen=True):
    """The files that steer this host.

    A folder that could not be listed has no fact, so that no file of it counts as absent.
    """

    facts: dict[str, str]
    changed: dict[str, float]


def _files(host: Host, answers: Mapping[Question[Json], Json]) -> SteeringFiles:
    """The number, sizes and times of the files that configure a host."""
    facts: dict[str, str] = {}
    paths = list(SINGLE_FILES)
    for folder in FOLDERS:
        names = _names_in_folder(answers[ListFolder(folder)])
        if names is not None:
            facts[f"folder {folder}"] = count(len(names), "file")
            paths += [f"{folder}/{name}" for name in names if name.endswith(".conf")]
    statuses = path_statuses(host, paths[:MOST_FILES])
    changed: dict[str, float] = {}
    for path, status in statuses.items():
        if status.failed in ("", "missing"):
            facts[f"file {path}"] = "missing" if status.failed else f"{status.size} bytes"
        if not status.failed and status.mtime is not None:
            changed[path] = status.mtime
    return SteeringFiles(facts, dict(sorted(changed.items())))


def _names_in_folder(listing: FolderListing | Failed) -> list[str] | None:
    """The entries of a folder; empty for a missing folder, None where that is not known."""
    if not isinstance(listing, Failed):
        return listing.names
    return [] if listing.reason == "missing" else None


def _machine_facts(
    header: ReportHeader | None, answers: Mapping[Question[Json], Json]
) -> Iterator[tuple[str, str]]:
    """The facts of the machine: kernel, distribution, clock."""
    if header is not None:
        yield "kernel", header.head.kernel
    release = answers[ReadFile(OS_RELEASE, max_bytes=4096)]
    if not isinstance(release, Failed):
        yield "distribution", comparable(_distribution(release.text))
    clock = answers[ReadClockState()]
    if not isinstance(clock, Failed):
        yield "clock", "synchronised" if clock.synchronised else "not synchronised"
        yield "clock offset", _magnitude(max(abs(clock.offset_s), 0.0))


def _magnitude(seconds: float) -> str:
    """An offset as a class, so that hosts can be compared by it."""
    for limit, words in ((0.01, "below 10 ms"), (0.1, "below 0.1 s"), (1.0, "below 1 s")):
        if seconds < limit:
            return words
    return "1 s or more"


def _distribution(text: str) -> str:
    """`PRETTY_NAME` of os-release(5), without its quotes."""
    names = re.search(r'^PRETTY_NAME="?([^"\n]*)"?$', text, re.MULTILINE)
    return names[1] if names else ""


def _engine_facts(ping: Ping, info: Info | None) -> Iterator[tuple[str, str]]:
    """The facts of the engine: its version and drivers."""
    product = "Podman" if ping.is_podman else "Docker"
    version = (
        (info.server_version if info is not None else "") or ping.libpod or ping.engine_version
    )
    yield "engine", f"{product} {version}".rstrip()
    if info is None:
        return
    yield "architecture", info.architecture
    yield "storage driver", info.driver
    yield "cgroup driver", info.cgroup_driver
    yield "cgroup version", info.cgroup_version
    yield "logging driver", info.logging_driver
    yield "default runtime", info.default_runtime
    yield "runtimes", comparable(", ".join(sorted(info.runtimes or ())))
    yield "firewall backend", info.firewall_driver if info.id else ""
    yield "security options", comparable(", ".join(sorted(info.security_options or ())))
    yield "data root", info.docker_root_dir
    yield "processors", str(info.ncpu) if info.ncpu else ""
    yield "memory", f"{round(info.mem_total / 2**30)} GiB" if info.mem_total else ""


def _configuration_facts(config: DaemonConfig) -> Iterator[tuple[str, str]]:
    """The facts of daemon.json and of the command line, key by key."""
    if not config.text_ok:
        yield "daemon.json", "cannot be read as JSON"
        return
    yield (
        "daemon.json",
        f"hash {digest(comparable_whole(config.values))}" if config.exists else "there is none",
    )
    for key, value in config.values.items():
        yield f"daemon.json {key}", comparable(value)
    for flag, values in config.flags.items():
        yield f"dockerd --{flag}", comparable(", ".join(values))


def comparable_whole(values: Mapping[str, Json]) -> str:
    """A configuration in one text, whatever the order of its keys."""
    return _SECRET.sub("<redacted>", json.dumps(dict(values), sort_keys=True))


def _image_facts(containers: Containers, images: Images) -> Iterator[tuple[str, str]]:
    """The image of each running container by its name.

    The same tag may be another image on another host.
    """
    used = {
        container.config.image: container
        for container in containers.running
        if container.config.image
    }
    for name in sorted(used)[:MOST_IMAGES]:
        image = images.of(used[name])
        if image is not None and not name.startswith("sha256:"):
            yield f"image {name}", short_id(image.id)


def _firewall_kinds(firewall: Firewall) -> list[str]:
    return sorted({f"{chain.table.backend} {chain.table.family}" for chain in firewall.chains})


def _gateways(routes: Iterable[Json]) -> set[str]:
    return {
        route.gateway
        for route in routes
        if route.prefix == 0 and route.gateway and route.family == "inet"
    }


def _network(address: str | None) -> str:
    """The /24 of an address: hosts of one rack or one subnet share it."""
    return str(ipaddress.ip_network(f"{address}/24", strict=False)) if address else ""
