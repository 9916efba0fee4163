"""Questions about images, volumes and networks as the engine lists them."""

from __future__ import annotations

import re

import msgspec
from msgspec import UNSET, UnsetType

from diagnose.model import Json, Subject
from diagnose.questions.engine import Filters
from diagnose.questions.question import Policy, Question


class ListImages(Question[Json], frozen=True):
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
