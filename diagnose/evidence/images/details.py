"""Details that only an inspect of an image has: platform, environment, layers, history.

For images of containers that live or have failed.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

import msgspec

from diagnose.evidence.containers.exposure import Exposed, has_failed
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.items import Items
from diagnose.model import Failed, Subject, Unavailable, Unexamined
from diagnose.phrases import short_id
from diagnose.questions import Host, Question
from diagnose.questions.images import Detail, HistoryStep, InspectImage, ReadImageHistory
from diagnose.registry import evidence

__all__ = [
    "Detail",
    "HistoryStep",
    "ImageDetails",
    "ImageHistories",
    "ask_each",
    "image_details",
    "image_histories",
]

Answer = TypeVar("Answer")

MOST = 80
"""Maximum number of images that are inspected in one run, those of the most exposed containers
first; each costs the engine half a millisecond."""


class ImageDetails(msgspec.Struct, frozen=True):
    """The details of images by image id."""

    by_id: Mapping[str, Detail]
    names: Mapping[str, str]
    """The name of the image by its most exposed container, by image id."""
    unexamined: tuple[Unexamined, ...] = ()

    def __iter__(self) -> Iterator[Detail]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def subject(self, detail: Detail) -> Subject:
        return Subject("image", self.names[detail.id])


def in_use(exposed: Exposed, containers: Containers) -> dict[str, str]:
    """The names of images of living or failed containers, by image id.

    Those of the most exposed containers come first.
    """
    names: dict[str, str] = {}
    for container in (*exposed, *filter(has_failed, containers)):
        if container.image:
            names.setdefault(container.image, container.config.image or short_id(container.image))
    return names


class ImageAnswers(msgspec.Struct, Generic[Answer], frozen=True):
    """The answers to one question about each of some images, by id."""

    by_id: dict[str, Answer]
    unexamined: tuple[Unexamined, ...]
    """The images about which there is no answer, and why."""


def ask_each(
    host: Host, question_about: Callable[[str], Question[Answer]], names: Mapping[str, str]
) -> ImageAnswers[Answer]:
    """The answers about at most `MOST` images, one question each; a removed image is left out."""
    chosen = list(names)[:MOST]
    answers: dict[str, Answer] = {}
    failed: dict[str, str] = {}
    for id, answer in host.ask_about(chosen, question_about):
        if not isinstance(answer, Failed):
            answers[id] = answer
        elif answer.reason != "gone":
            failed[id] = str(answer)
    left_out = dict.fromkeys(list(names)[MOST:], f"only {MOST} images are looked into")
    whys = {**left_out, **{id: failed[id] for id in chosen if id in failed}}
    missing = tuple(Unexamined(Subject("image", names[id]), why) for id, why in whys.items())
    return ImageAnswers({id: answers[id] for id in chosen if id in answers}, missing)


@evidence
def image_details(
    host: Host, exposed: Exposed, containers: Containers
) -> ImageDetails | Unavailable:
    """The details of each image in use, by one inspect each."""
    names = in_use(exposed, containers)
    details = ask_each(host, InspectImage, names)
    return ImageDetails(
        {detail.id: detail for detail in details.by_id.values()},
        _names_by_own_id(details.by_id, names),
        details.unexamined,
    )


def _names_by_own_id(details: Mapping[str, Detail], names: Mapping[str, str]) -> dict[str, str]:
    """The images' names by the id that each image answers with.

    In containerd's store a container may name the id of one platform's manifest.
    """
    return {detail.id: names[id] for id, detail in details.items()}


class ImageHistories(Items[tuple[str, tuple[HistoryStep, ...]]], frozen=True):
    """The (name, instructions) of each image in use, the newest instruction first."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def image_histories(
    host: Host, exposed: Exposed, containers: Containers
) -> ImageHistories | Unavailable:
    """The history of each image in use, by one question each."""
    names = in_use(exposed, containers)
    histories = ask_each(host, ReadImageHistory, names)
    # An imported image has no history in containerd's store: null (seen on engine 28.5.2).
    items = ((names[id], tuple(steps or ())) for id, steps in histories.by_id.items())
    return ImageHistories(tuple(items), histories.unexamined)
