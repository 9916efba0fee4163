"""What only an inspect of an image says, for images that containers stand on which live or have failed: platform,
environment, layers, history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import msgspec

from diagnose.evidence.containers.exposure import Exposed, has_failed
from diagnose.evidence.containers.listing import Containers
from diagnose.model import Failed, Json, Subject, Unavailable, Unexamined
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence
from diagnose.shapes import convert

MOST = 80
"""So many images are inspected in one run, those of the most exposed containers first; each costs the engine half a
millisecond."""


class _Config(msgspec.Struct, frozen=True, rename="pascal"):
    env: list[str] | None = None
    user: str = ""
    labels: dict[str, str] | None = None


class _Driver(msgspec.Struct, frozen=True, rename="pascal"):
    name: str = ""
    data: dict[str, str] | None = None


class Detail(msgspec.Struct, frozen=True, rename="pascal", dict=True):
    """One image as `GET /images/ID/json` shows it. Fields without a value are left out by engine 29."""

    id: str
    repo_tags: list[str] | None = None
    architecture: str = ""
    variant: str = ""
    os: str = ""
    config: _Config | None = None
    graph_driver: _Driver = _Driver()

    @property
    def env(self) -> list[str]:
        return (self.config.env if self.config else None) or []

    @property
    def layers(self) -> tuple[str, ...]:
        """The folders of its layers under the data root, the topmost first; none where containerd keeps them."""
        data = self.graph_driver.data or {}
        if self.graph_driver.name != "overlay2":
            return ()
        folders = [data.get("UpperDir", ""), *data.get("LowerDir", "").split(":")]
        return tuple(str(PurePosixPath(folder).parent) for folder in folders if folder)


class ImageDetails(msgspec.Struct, frozen=True):
    """By image id. names: image id -> the name that its most exposed container calls it by."""

    by_id: Mapping[str, Detail]
    names: Mapping[str, str]
    unexamined: tuple[Unexamined, ...] = ()

    def __iter__(self) -> Iterator[Detail]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def subject(self, detail: Detail) -> Subject:
        return Subject("image", self.names[detail.id])


def in_use(exposed: Exposed, containers: Containers) -> dict[str, str]:
    """Image id -> name, of the images that containers stand on which live or have failed, those of the most exposed
    first."""
    found: dict[str, str] = {}
    for each in (*exposed, *filter(has_failed, containers)):
        if each.image:
            found.setdefault(each.image, each.config.image or each.image.removeprefix("sha256:")[:12])
    return found


def ask_each(host: Host, kind: str, names: Mapping[str, str]) -> tuple[dict[str, Json], tuple[Unexamined, ...]]:
    """The answer to one kind of question for each image, at most `MOST`; an image that is gone meanwhile is simply
    left out."""
    chosen = dict(list(names.items())[:MOST])
    asked = {question(kind, id=each): each for each in chosen}
    found: dict[str, Json] = {}
    missing = [
        Unexamined(Subject("image", name), f"only {MOST} images are looked into")
        for name in list(names.values())[MOST:]
    ]
    for each, answer in host.ask_many(asked):
        id = asked[each]
        if not isinstance(answer, Failed):
            found[id] = answer
        elif answer.reason != "gone":
            missing.append(Unexamined(Subject("image", names[id]), str(answer)))
    return {id: found[id] for id in chosen if id in found}, tuple(missing)


@evidence
def image_details(host: Host, exposed: Exposed, containers: Containers) -> ImageDetails | Unavailable:
    """One inspect for each image in use."""
    names = in_use(exposed, containers)
    answers, missing = ask_each(host, "api.image", names)
    found = {id: convert(answer, Detail) for id, answer in answers.items()}
    return ImageDetails({detail.id: detail for detail in found.values()}, _by_own_id(found, names), missing)


def _by_own_id(found: Mapping[str, Detail], names: Mapping[str, str]) -> dict[str, str]:
    """In containerd's store a container may name the id of one platform's manifest, and the image answers with its
    own."""
    return {detail.id: names[id] for id, detail in found.items()}


class HistoryStep(msgspec.Struct, frozen=True, rename="pascal"):
    """One line of an image's history: the instruction that made it, without its secrets."""

    created_by: str = ""
    comment: str = ""
    created: int = 0


class ImageHistories(msgspec.Struct, frozen=True):
    """(name, instructions, the newest first) of each image in use."""

    items: tuple[tuple[str, tuple[HistoryStep, ...]], ...]
    unexamined: tuple[Unexamined, ...] = ()

    def __len__(self) -> int:
        return len(self.items)


@evidence
def image_histories(host: Host, exposed: Exposed, containers: Containers) -> ImageHistories | Unavailable:
    """One question for each image in use."""
    names = in_use(exposed, containers)
    answers, missing = ask_each(host, "api.image_history", names)
    # An imported image has no history in containerd's store: null (seen on engine 28.5.2).
    rows = ((names[id], tuple(convert(answer or [], list[HistoryStep]))) for id, answer in answers.items())
    return ImageHistories(tuple(rows), missing)
