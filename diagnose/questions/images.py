"""Questions about images, volumes and networks as the engine lists them."""

import functools
import re
from collections.abc import Sequence
from ipaddress import IPv4Network, ip_network
from pathlib import PurePosixPath
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from diagnose.model import Json, Subject
from diagnose.phrases import short_id
from diagnose.questions.engine import Filters
from diagnose.questions.network import Subnet
from diagnose.questions.question import Policy, Question, engine_get

NONE = "<none>"
"""The name that old engines list for an image without one."""


class Image(msgspec.Struct, frozen=True, rename="pascal", dict=True):
    """One image as `GET /images/json` lists it: intermediate layers of a build are not listed."""

    id: str
    repo_tags: list[str] | None = None
    repo_digests: list[str] | None = None
    size: int = 0
    """Bytes of all its layers, those that it shares with others included."""
    shared_size: int = -1
    containers: int = -1
    """shared_size, containers: -1 where the engine did not count them."""
    created: int = 0
    """Unix time of its build, not of its pull."""
    labels: dict[str, str] | None = None

    @functools.cached_property
    def tags(self) -> tuple[str, ...]:
        """The names of the image.

        An API up to 1.42 lists `<none>:<none>` for an image without one, later ones nothing.
        """
        return tuple(tag for tag in self.repo_tags or () if NONE not in tag)

    @functools.cached_property
    def digests(self) -> tuple[str, ...]:
        return tuple(digest for digest in self.repo_digests or () if NONE not in digest)

    @property
    def is_official(self) -> bool:
        """Whether it was pulled from the official images of Docker Hub, whose names have no slash.

        Where containerd keeps the images, one that was built here under such a name looks like one.
        """
        names = (digest.removeprefix("docker.io/library/") for digest in self.digests)
        return any("/" not in name for name in names)

    @property
    def name(self) -> str:
        """The name that people use: the first tag, else repository and digest, else twelve
        digits of the id."""
        return (self.tags or self.digests or (short_id(self.id),))[0]

    @property
    def subject(self) -> Subject:
        return Subject("image", self.name)

    @property
    def own_size(self) -> int:
        """Bytes that nothing else needs, as far as the engine counted what is shared."""
        return self.size - self.shared_size if self.shared_size > 0 else self.size


class ListImages(Question[list[Image]], frozen=True):
    """/images/json."""

    POLICY = engine_get("api.images", "the list of images", "/images/json", deadline=3, priority=2)
    all: bool | UnsetType = UNSET


class ImageConfig(msgspec.Struct, frozen=True, rename="pascal"):
    """The settings that an image gives its containers."""

    env: list[str] | None = None
    cmd: list[str] | None = None
    entrypoint: list[str] | None = None
    user: str = ""
    volumes: dict[str, Json] | None = None
    """The declared volumes, by their paths."""
    on_build: list[str] | None = None
    """Instructions for the builds that begin with this image."""


class ImageStore(msgspec.Struct, frozen=True, rename="pascal"):
    """The place of an image's layers."""

    name: str = ""
    data: dict[str, str] | None = None
    """As the driver says it, with the paths of folders."""


class ImageMetadata(msgspec.Struct, frozen=True, rename="pascal"):
    """The engine's own notes on an image, beside its content."""

    last_tag_time: str = ""
    """When it got its last name here; empty, or the year 1, where the engine does not know."""


class Detail(msgspec.Struct, frozen=True, rename="pascal", dict=True):
    """One image as `GET /images/ID/json` shows it.

    Fields without a value are left out by engine 29.
    """

    id: str
    architecture: str = ""
    config: ImageConfig | None = None
    graph_driver: ImageStore = ImageStore()
    metadata: ImageMetadata = ImageMetadata()

    @property
    def env(self) -> list[str]:
        return (self.config.env if self.config else None) or []

    @property
    def layers(self) -> tuple[str, ...]:
        """The folders of its layers under the data root, the topmost first.

        None where containerd keeps them.
        """
        data = self.graph_driver.data or {}
        if self.graph_driver.name != "overlay2":
            return ()
        folders = [data.get("UpperDir", ""), *data.get("LowerDir", "").split(":")]
        return tuple(str(PurePosixPath(folder).parent) for folder in folders if folder)


class InspectImage(Question[Detail], frozen=True):
    """/images/ID/json."""

    POLICY = engine_get(
        "api.image", "docker inspect of an image", "/images/{id}/json", deadline=2, priority=4
    )
    id: str


class HistoryStep(msgspec.Struct, frozen=True, rename="pascal"):
    """One line of an image's history: the instruction that made it, without its secrets."""

    created_by: str = ""


class ReadImageHistory(Question[list[HistoryStep] | None], frozen=True):
    """/images/ID/history."""

    POLICY = engine_get(
        "api.image_history",
        "the history of an image",
        "/images/{id}/history",
        deadline=2,
        priority=6,
    )
    id: str


_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def is_anonymous_name(name: str) -> bool:
    """Whether the engine made up the name of a volume: 64 digits."""
    return bool(_ANONYMOUS.fullmatch(name))


class Volume(msgspec.Struct, frozen=True, rename="pascal"):
    """One volume as `GET /volumes` lists it."""

    name: str
    driver: str = ""
    mountpoint: str = ""
    created_at: str = ""
    labels: dict[str, str] | None = None
    options: dict[str, str] | None = None

    @property
    def subject(self) -> Subject:
        return Subject("volume", self.name)

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody named the volume: 64 digits, or the label that engines set since 23.0."""
        return is_anonymous_name(self.name) or "com.docker.volume.anonymous" in (self.labels or {})


class VolumeList(msgspec.Struct, frozen=True, rename="pascal"):
    """The engine's volumes; None where it has none."""

    volumes: list[Volume] | None = None


class ListVolumes(Question[VolumeList], frozen=True):
    """/volumes."""

    POLICY = engine_get("api.volumes", "the list of volumes", "/volumes", deadline=3, priority=2)
    filters: Filters | None = None


class AddressPool(msgspec.Struct, frozen=True, rename="pascal"):
    """One address range of a network."""

    subnet: str = ""
    ip_range: str = msgspec.field(name="IPRange", default="")
    gateway: str = ""
    auxiliary_addresses: dict[str, str] | None = None


class Ipam(msgspec.Struct, frozen=True, rename="pascal"):
    """How addresses of a network are given out."""

    config: list[AddressPool] | None = None


class Network(msgspec.Struct, frozen=True, rename="pascal", dict=True):
    """One network as `GET /networks` lists it (its containers are listed by inspect only)."""

    id: str
    name: str = ""
    driver: str = ""
    scope: str = ""
    created: str = ""
    internal: bool = False
    ingress: bool = False
    """Whether it leads calls of published ports to the tasks of swarm services."""
    enable_ipv6: bool = msgspec.field(name="EnableIPv6", default=False)
    options: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    ipam: Ipam = msgspec.field(name="IPAM", default=Ipam())

    def __str__(self) -> str:
        """The network with its kind, for sentences: network "shop"."""
        return f'network "{self.name}"'

    @property
    def subject(self) -> Subject:
        return Subject("network", self.name)

    def option(self, name: str, default: str = "") -> str:
        return (self.options or {}).get(name, default)

    @property
    def is_direct(self) -> bool:
        """Whether its containers are on a link of the host itself, past the host's own stack."""
        return self.driver in ("macvlan", "ipvlan")

    @property
    def is_bridge(self) -> bool:
        return self.driver == "bridge"

    @property
    def is_overlay(self) -> bool:
        return self.driver == "overlay"

    @property
    def bridge(self) -> str:
        """The Linux bridge's name.

        An option, docker0 for the default network, else br- and 12 digits of the id.
        """
        option = self.option("com.docker.network.bridge.name")
        return option or ("docker0" if self.name == "bridge" else f"br-{self.id[:12]}")

    @property
    def bridge_has_address(self) -> bool:
        """Whether the engine gives the bridge the gateway's address.

        Not where it is configured not to, or isolates the host (28).
        """
        if self.option("com.docker.network.bridge.inhibit_ipv4") == "true":
            return False
        return self.option("com.docker.network.bridge.gateway_mode_ipv4", "nat") != "isolated"

    @property
    def masquerades(self) -> bool:
        """Whether the engine should hide its addresses behind the host's."""
        if (
            self.internal
            or self.option("com.docker.network.bridge.enable_ip_masquerade") == "false"
        ):
            return False
        return self.option("com.docker.network.bridge.gateway_mode_ipv4", "nat") == "nat"

    @functools.cached_property
    def subnets(self) -> tuple[Subnet, ...]:
        subnets = []
        for pool in self.ipam.config or ():
            try:
                subnets.append(ip_network(pool.subnet, strict=False))
            except ValueError:
                continue
        return tuple(subnets)

    @property
    def subnets4(self) -> tuple[IPv4Network, ...]:
        """Its subnets of IPv4."""
        return tuple(subnet for subnet in self.subnets if isinstance(subnet, IPv4Network))

    @property
    def subnet4(self) -> str:
        """The first of them; empty if it has none."""
        return next(map(str, self.subnets4), "")

    @property
    def gateway4(self) -> str:
        """Its first IPv4 gateway; empty if it has none."""
        return next((gateway for gateway in self.gateways if "." in gateway), "")

    @property
    def gateways(self) -> tuple[str, ...]:
        return tuple(
            pool.gateway.partition("/")[0] for pool in self.ipam.config or () if pool.gateway
        )

    @property
    def pools(self) -> tuple[AddressPool, ...]:
        return tuple(self.ipam.config or ())


_NETWORKS = "/networks"


class ListNetworks(Question[list[Network]], frozen=True):
    """/networks.

    round `later`: at once, `settled`: once the engine has had time to end what it had begun.
    """

    POLICY = engine_get("api.networks", "the list of networks", _NETWORKS, deadline=3, priority=2)
    ROUNDS = {  # noqa: RUF012 - never changed
        "later": engine_get("api.networks.later", POLICY.what, _NETWORKS, deadline=3, priority=2),
        "settled": engine_get(
            "api.networks.settled",
            POLICY.what,
            _NETWORKS,
            deadline=6,
            priority=2,
            lane="probe",
            collector="engine.api:settled",
        ),
    }
    filters: Filters | None = None
    round: Literal["", "later", "settled"] = ""


class Download(msgspec.Struct, frozen=True):
    """A file into which a layer is fetched."""

    pid: int
    path: str
    bytes: int
    position: int
    """Where its process reads or writes: at its end while bytes come."""
    mtime: float
    """Unix time of the newest byte."""


class ListDownloads(Question[list[Download]], frozen=True):
    """The layers that these processes are fetching."""

    POLICY = Policy(
        "image.downloads",
        what="the layers that are being fetched",
        collector="kernel.open_files:downloads",
        lane="local",
        deadline=2,
        in_helper=True,
    )
    pids: Sequence[int]
