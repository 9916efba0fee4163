"""Parts of a container's settings that a rule looks for. Pure data.

Patterns, paths and ports may have the name of a group of an earlier part in braces: `{name}` is the
text that this group has matched.
"""

import msgspec


class Variable(msgspec.Struct, frozen=True):
    """A variable whose whole name and whole value match; the groups are kept.

    `{variable}` and `{value}` are its name and its value.
    """

    name: str
    value: str = ".+"
    is_own: bool = False
    """Whether neither the image nor another container has the variable with this value: a file of
    variables may be for several programs."""


class Word(msgspec.Struct, frozen=True):
    """A text in the command, whose words are joined by one space; the groups are kept."""

    pattern: str


class Text(msgspec.Struct, frozen=True):
    """A text in the first one of these files that the container has; the groups are kept."""

    paths: tuple[str, ...]
    pattern: str


class Labelled(msgspec.Struct, frozen=True):
    """A label whose `key=value` begins with this pattern."""

    pattern: str


class Capability(msgspec.Struct, frozen=True):
    """A capability that was added; a privileged container has all."""

    name: str


class GivenDevice(msgspec.Struct, frozen=True):
    """A device that was given; a privileged container has all."""

    path: str


class MountAt(msgspec.Struct, frozen=True):
    """A bind mount or a volume with a name whose whole place in the container matches.

    `{place}` is that place, and `{source}` what is mounted.
    """

    place: str


class MountAround(msgspec.Struct, frozen=True):
    """A bind mount or a volume with a name at a path of the container, above it or below it."""

    path: str


class ExistingPath(msgspec.Struct, frozen=True):
    """A path that exists in the container."""

    path: str


class Published(msgspec.Struct, frozen=True):
    """A port of the container that is published to other machines, as `53/udp`.

    A container on the host's network publishes all, and one that joins another's none itself.
    """

    port: str
    at: str = ""
    """The port of the host; "" for any."""


class Publishing(msgspec.Struct, frozen=True):
    """Any port that is published."""


class SharesNetwork(msgspec.Struct, frozen=True):
    """The network of the host, or that of another container."""


class Sites(msgspec.Struct, frozen=True):
    """Settings that ask a reverse proxy to serve it: VIRTUAL_HOST, or labels of Traefik or
    Caddy."""


class NeighbourWith(msgspec.Struct, frozen=True):
    """Another running container whose image matches, and which has all these parts."""

    image: str
    parts: tuple["SettingPart", ...] = ()


class Called(msgspec.Struct, frozen=True):
    """The running container that `{host}` leads to on a network of both; it has all these parts."""

    image: str
    parts: tuple["SettingPart", ...] = ()


class Named(msgspec.Struct, frozen=True):
    """A running container that can be called by this name on one of the container's networks."""

    name: str


class GuestNamed(msgspec.Struct, frozen=True):
    """A running container of this name that has the network of another one, and so no name on any
    network: `{server}` is the one with the network."""

    name: str


class EngineAddress(msgspec.Struct, frozen=True):
    """An address that the engine gave to the container."""

    address: str


class SharedPlace(msgspec.Struct, frozen=True):
    """A mount at a path that a container of another image has at the same path too."""

    path: str
    image: str


class Lacking(msgspec.Struct, frozen=True):
    """The opposite of a part, for one that a neighbour must not have."""

    part: "SettingPart"


SettingPart = (
    Called
    | Capability
    | GivenDevice
    | GuestNamed
    | Labelled
    | Lacking
    | MountAround
    | MountAt
    | Named
    | NeighbourWith
    | ExistingPath
    | EngineAddress
    | Published
    | Publishing
    | SharedPlace
    | SharesNetwork
    | Sites
    | Text
    | Variable
    | Word
)
