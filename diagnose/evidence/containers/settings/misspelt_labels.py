"""Labels that the programs which read labels on this host pass over, and the keys that are meant.

nginx-proxy reads variables of other containers in the same way.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence, Set

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.programs.known_label_keys import LABEL_KEYS
from diagnose.programs.label_keys import LabelKeys
from diagnose.programs.label_readers import REMOTE
from diagnose.registry import evidence

MOST = 1000
"""Different names that are compared with the keys of one program."""
_OF_OTHERS = (
    "com.docker.",
    "desktop.docker.",
    "io.buildah.",
    "org.label-schema.",
    "org.opencontainers.",
)


class MisspeltLabels(msgspec.Struct, frozen=True):
    """The labels of one container that a program passes over."""

    container: Container
    reader: Container
    """The program's own container."""
    program: str
    meant: dict[str, str]
    """The key that the program reads, by the key that the container has."""
    kind: str = "label"
    """The word for them: label, variable."""
    is_former: bool = False
    """Whether an older version of the program reads them."""


class ContainersWithMisspeltLabels(Items[MisspeltLabels], frozen=True):
    """One for each container and program, in the order of the containers."""


@evidence
def misspelt_labels(containers: Containers) -> ContainersWithMisspeltLabels:
    """The running containers with such labels, by inspect alone.

    A key counts where one part of it is misspelt, missing or too much, and the container does not
    have the right key too. Labels that are like none of a program's are their owner's own, and so
    are those that the program's own settings name as another label to look for.
    """
    labels = (
        misspelt
        for reader in containers.running
        if not any(map(REMOTE.fullmatch, reader.config.env or ()))
        for keys in LABEL_KEYS
        if keys.image.search(reader.config.image)
        for misspelt in _misspelt_by(reader, keys, containers)
    )
    return ContainersWithMisspeltLabels(tuple(labels))


def _misspelt_by(
    reader: Container, keys: LabelKeys, containers: Containers
) -> Iterator[MisspeltLabels]:
    """The keys that one program passes over. A key of many containers is compared once."""
    configured_words = _words_of_settings(reader)
    names = {
        container.id: list(itertools.islice(_names(container, keys, configured_words), MOST))
        for container in containers.running
    }
    different = dict.fromkeys(itertools.chain.from_iterable(names.values()))
    meant_by_name = {name: keys.meant_by(name) for name in itertools.islice(different, MOST)}
    for container in containers.running:
        yield from _misspelt_labels(container, reader, keys, names[container.id], meant_by_name)


def _names(container: Container, keys: LabelKeys, configured_words: Set[str]) -> Iterator[str]:
    """The names of its variables or labels, without those that engines and builders write, and
    those that the program's own settings name."""
    variables = (name for name, _ in container.config.environment)
    for name in variables if keys.are_variables else container.labels:
        if not name.startswith(_OF_OTHERS) and configured_words.isdisjoint(
            (name, name.partition(".")[0])
        ):
            yield name


def _misspelt_labels(
    container: Container,
    reader: Container,
    keys: LabelKeys,
    names: Sequence[str],
    meant_by_name: Mapping[str, str],
) -> Iterator[MisspeltLabels]:
    """Keys with a slip, and those of an older version in a container without newer ones.

    names: of this container. meant_by_name: the keys that names with a slip stand for.
    """
    kind = "variable" if keys.are_variables else "label"
    own_keys = {name.lower() for name in names}
    meanings = {name: meant_by_name.get(name, "") for name in names}
    misspelt = {name: key for name, key in meanings.items() if key and key.lower() not in own_keys}
    if misspelt:
        yield MisspeltLabels(container, reader, keys.program, misspelt, kind)
    former = [name for name in names if keys.former and keys.former.search(name)]
    if former and not any(map(keys.replaces_former, own_keys)):
        successors = dict.fromkeys(former, keys.successor)
        yield MisspeltLabels(container, reader, keys.program, successors, is_former=True)


def _words_of_settings(reader: Container) -> set[str]:
    """The words in the command and in the values of the variables of a program."""
    values = [value for _, value in reader.config.environment]
    texts = [*values, *reader.config.words]
    return {word for text in texts for word in re.split(r"[^\w.@-]+", text)}
