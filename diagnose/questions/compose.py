"""Questions about what the files of a compose project say, beside their variables."""

from collections.abc import Mapping

import msgspec

from diagnose.questions.question import Policy, Question


class ComposeService(msgspec.Struct, frozen=True):
    """One service as the files of its project define it. The later file wins, as in compose."""

    command: str = ""
    """As it is written, where it is one line; "" for a list or none."""
    ports: list[str] = []
    """As they are written; those of a mapping as TARGET or PUBLISHED:TARGET."""


class ReadComposeService(Question[ComposeService], frozen=True):
    """One service of a project, as its files have it now."""

    POLICY = Policy(
        "file.compose-service",
        what="a service in compose files",
        collector="disk.compose.collectors:compose_service",
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
        collector="disk.compose.collectors:compose_volumes",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """The compose files of the project, in their order."""

    def about(self) -> str:
        return f"the volumes in {', '.join(self.paths)}"


class WrittenMount(msgspec.Struct, frozen=True):
    """An entry of `volumes` of a service."""

    target: str
    source: str = ""
    """A path of the host, or a volume as the project calls it; "" for one without a name."""


class MisreadNumber(msgspec.Struct, frozen=True):
    """A value without quotes that compose takes for a number."""

    path: str
    written: str
    """NAME=value, as the file has it."""
    read: str
    """NAME=value, as a container gets it."""


class WrittenService(msgspec.Struct, frozen=True):
    """A service as the files of its project have it now; values with a variable are left out."""

    name: str
    path: str = ""
    """The last file that has it."""
    image: str = ""
    builds: bool = False
    """Whether compose builds its image."""
    scale: str = ""
    """The number of its containers, as it is written."""
    profiles: list[str] = []
    ports: list[str] = []
    """As they are written; those of a mapping as TARGET or PUBLISHED:TARGET."""
    mounts: list[WrittenMount] = []
    variables: list[str] = []
    """The names in its `environment`."""
    numbers: list[MisreadNumber] = []
    replaced: list[WrittenMount] = []
    """Mounts of an anchor that it merges, in whose place it has a list of its own."""
    is_for_development: bool = False
    """Whether its variables or its command say so: NODE_ENV=development, `--reload`."""
    contents: list[str] = []
    """The configs and secrets that compose copies into its containers, by name."""
    swarm_labels: list[str] = []
    """The names of its labels below `deploy`: of a service of swarm, and of no container."""
    is_read_only: bool = False
    """Whether its containers may not write to their writable layer."""
    cpus: str = ""
    """The limit of CPUs, as it is written."""
    memory: str = ""
    """The limit of memory, as it is written."""
    is_partial: bool = False
    """Whether it extends another one, or has tags of compose: more belongs to it."""


class ComposeFault(msgspec.Struct, frozen=True):
    """For what compose refuses the files of a project."""

    kind: str
    """yaml, empty, doubled, unknown-key, wrong-kind, entry-is-mapping, env-file, file-missing,
    no-unit, test-without-kind, open-brace, undefined, off, condition, no-image, two-networks, or
    new-key for one that older versions refuse."""
    path: str
    line: int = 0
    """0 where the whole file is meant."""
    place: str = ""
    """The part in dotted form, such as services.web.ports."""
    name: str = ""
    """The key, the part or the file that is meant, as it is written."""
    detail: str = ""
    """What is wanted in its place, the key that may be meant, what kind of part is undefined, the
    profiles of a service that is off, or the version that is needed."""


class NeededPart(msgspec.Struct, frozen=True):
    """A network, volume or free name that a project needs before compose can make a container."""

    kind: str
    """network or volume: one that compose does not make itself. container: a name that is free.
    subnet: one that no other network overlaps; addressed subnet: the file names addresses of it."""
    name: str
    path: str
    line: int
    service: str = ""
    """The service that has the name, for a container; the network that has a subnet."""


class ComposeProject(msgspec.Struct, frozen=True):
    """All services of a project, as its files define them."""

    services: list[WrittenService] = []
    includes: bool = False
    """Whether more services come from files that these include."""
    changed: Mapping[str, float] = {}
    """Unix time of each file's last change."""
    override: str = ""
    """The override beside the one file that the project was started with, which was not read."""
    overridden: list[WrittenService] = []
    """What that file says."""
    closed: str = ""
    """A file of the project that this user may not read; the services are not known then."""
    unread: str = ""
    """A file that could not be read to its end as YAML, and why; not known either."""
    faults: list[ComposeFault] = []
    """Why compose refuses it: the first ones."""
    needs: list[NeededPart] = []
    unused_keys: list[str] = []
    """The names with a value in its `.env` that nothing in its folder mentions."""


class ReadComposeProject(Question[ComposeProject], frozen=True):
    """All services of a project, as its files have them now."""

    POLICY = Policy(
        "file.compose-project",
        what="a compose project",
        collector="disk.compose.collectors:compose_project",
        lane="file",
        scope="host",
        deadline=1.5,
        priority=5,
    )
    paths: list[str]
    """The compose files of the project, in their order."""
    folder: str
    """Where relative paths begin."""

    def about(self) -> str:
        return f"the services in {', '.join(self.paths)}"


class FoundComposeFile(msgspec.Struct, frozen=True):
    """A compose file in a folder of its own."""

    path: str
    mtime: float
    is_here: bool = False
    """Whether it lies in the folder in which the tool was called."""
    has_others: bool = False
    """Whether more compose files lie beside it, which may complete it."""


class FindComposeFiles(Question[list[FoundComposeFile]], frozen=True):
    """The compose files in the folders below some others, and in the folder of the caller.

    Network file systems, and file systems that are mounted below these folders, are left out.
    """

    POLICY = Policy(
        "file.compose-found",
        what="compose files in the usual folders",
        collector="disk.compose.collectors:found_compose_files",
        lane="file",
        deadline=1.5,
        priority=7,
    )
    folders: list[str]
    """One that ends in `/*` means all folders in it."""

    def about(self) -> str:
        return "compose files in the usual folders"


class ReadDifferingContents(Question[list[str]], frozen=True):
    """The files that a container has, of those that compose copied there, with another content than
    the files of the project give them now."""

    POLICY = Policy(
        "file.compose-contents",
        what="the contents in compose files",
        collector="disk.compose.collectors:differing_contents",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """The compose files of the project, in their order."""
    folder: str
    service: str
    layer: str
    """The folder of the container's writable layer on the host."""

    def about(self) -> str:
        return f"the contents for service {self.service} in {', '.join(self.paths)}"


class EmptiedText(msgspec.Struct, frozen=True):
    """A line of a compose file that has a text once its variables are replaced by nothing."""

    path: str
    line: int
    text: str
    names: list[str]
    """The variables of the line."""
    given_in: list[str] = []
    """The env files that give all of them a value now."""
    is_blank: bool = False
    """Whether an env file assigns all of them, and leaves each empty."""


class FindEmptiedTexts(Question[list[EmptiedText]], frozen=True):
    """The lines of compose files from which compose may have made some texts."""

    POLICY = Policy(
        "file.emptied",
        what="variables in lines of compose files",
        collector="disk.compose.collectors:emptied_texts",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """Compose files, and the env files beside them."""
    texts: list[str]

    def about(self) -> str:
        return f"variables in the lines of {', '.join(self.paths)}"


class ComposeFile(msgspec.Struct, frozen=True):
    """A file that compose reads for a project."""

    path: str
    mtime: float


class ListComposeFiles(Question[list[ComposeFile]], frozen=True):
    """The files of one project that exist: those of compose, `.env`, the env files they name."""

    POLICY = Policy(
        "file.compose",
        what="the files of a compose project",
        collector="disk.compose.collectors:compose_files",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    folder: str
    """paths, folder: the compose files, and where relative names begin."""

    def about(self) -> str:
        return f"the files that {', '.join(self.paths)} name"
