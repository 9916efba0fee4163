"""Questions about images, volumes and networks as the engine lists them."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from diagnose.model import Json
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


class ListVolumes(Question[Json], frozen=True):
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
