"""Questions about what the files of a compose project say, beside their variables."""

from collections.abc import Mapping

import msgspec

from diagnose.questions.question import Policy, Question


class ComposeService(msgspec.Struct, frozen=True):
    """What the files of a project say of one service; the later file wins, as in compose."""

    command: str = ""
    """As it is written, where it is one line; "" for a list or none."""
    ports: list[str] = []
    """As they are written; those of a mapping as TARGET or PUBLISHED:TARGET."""


class ReadComposeService(Question[ComposeService], frozen=True):
    """One service of a project, as its files have it now."""

    POLICY = Policy(
        "file.compose-service",
        what="a service in compose files",
        collector="disk.compose:compose_service",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """The compose files of the project, in their order."""
    service: str

    def about(self) -> str:
        return f"service {self.service} in {', '.join(self.paths)}"


class ComposeVolume(msgspec.Struct, frozen=True):
    """A volume of a project, as its files have it now."""

    key: str
    """What the project calls it."""
    name: str = ""
    """Its own name; "" where compose makes one of the project's and the key."""
    driver: str = "local"
    options: Mapping[str, str] = {}
    path: str = ""
    """The file that says so."""


class ReadComposeVolumes(Question[list[ComposeVolume]], frozen=True):
    """The volumes of a project; without external ones, and without those that name a variable."""

    POLICY = Policy(
        "file.compose-volumes",
        what="the volumes in compose files",
        collector="disk.compose:compose_volumes",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """The compose files of the project, in their order."""

    def about(self) -> str:
        return f"the volumes in {', '.join(self.paths)}"
