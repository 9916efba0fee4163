"""Questions about images, volumes and networks as the engine lists them."""

from __future__ import annotations

import functools
import re

import msgspec
from msgspec import UNSET, UnsetType

from diagnose.model import Json, Subject
from diagnose.questions.engine import Filters
from diagnose.questions.question import Policy, Question

NONE = "<none>"
"""The name that old engines list for an image without one."""


class Image(msgspec.Struct, frozen=True, rename="pascal", dict=True):
    """One image as `GET /images/json` lists it: intermediate layers of a build are not listed.

    size: bytes of all its layers, those that it shares with others included. shared_size and containers: -1 where the
    engine did not count them. created: Unix time of its build, not of its pull.
    """

    id: str
    repo_tags: list[str] | None = None
    repo_digests: list[str] | None = None
    size: int = 0
    shared_size: int = -1
    containers: int = -1
    created: int = 0
    labels: dict[str, str] | None = None
    parent_id: str = ""

    @functools.cached_property
    def tags(self) -> tuple[str, ...]:
        """Its names; an API up to 1.42 lists `<none>:<none>` for an image without one, later ones nothing."""
        return tuple(tag for tag in self.repo_tags or () if NONE not in tag)

    @functools.cached_property
    def digests(self) -> tuple[str, ...]:
        return tuple(digest for digest in self.repo_digests or () if NONE not in digest)

    @property
    def name(self) -> str:
        """What people call it: its first tag, its repository and digest, or twelve digits of its id."""
        return (self.tags or self.digests or (self.id.removeprefix("sha256:")[:12],))[0]

    @property
    def subject(self) -> Subject:
        return Subject("image", self.name)

    @property
    def own_size(self) -> int:
        """Bytes that nothing else needs, as far as the engine counted what is shared."""
        return self.size - self.shared_size if self.shared_size > 0 else self.size


class ListImages(Question[list[Image]], frozen=True):
    """/images/json."""

    POLICY = Policy("api.images", "the list of images", "engine.api:get", "api", "engine", 3, 2)
    all: bool | UnsetType = UNSET


class InspectImage(Question[Json], frozen=True):
    """/images/ID/json."""

    POLICY = Policy("api.image", "docker inspect of an image", "engine.api:get", "api", "engine", 2, 4)
    id: str


class ReadImageHistory(Question[Json], frozen=True):
    """/images/ID/history."""

    POLICY = Policy("api.image_history", "the history of an image", "engine.api:get", "api", "engine", 2, 6)
    id: str


_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


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
        """Nobody named it: 64 digits, or the label that engines set from 23.0 on."""
        return bool(_ANONYMOUS.fullmatch(self.name)) or "com.docker.volume.anonymous" in (self.labels or {})


class VolumeList(msgspec.Struct, frozen=True, rename="pascal"):
    """The engine's volumes; None where it has none."""

    volumes: list[Volume] | None = None


class ListVolumes(Question[VolumeList], frozen=True):
    """/volumes."""

    POLICY = Policy("api.volumes", "the list of volumes", "engine.api:get", "api", "engine", 3, 2)
    filters: Filters | None = None


class ListNetworks(Question[Json], frozen=True):
    """/networks."""

    POLICY = Policy("api.networks", "the list of networks", "engine.api:get", "api", "engine", 3, 2)
    filters: Filters | None = None


class InspectNetwork(Question[Json], frozen=True):
    """/networks/ID."""

    POLICY = Policy("api.network", "docker inspect of a network", "engine.api:get", "api", "engine", 2, 3)
    id: str
