"""Questions about this process: its clock, what the user asked of it, and who runs it."""

from pathlib import Path

import msgspec

from diagnose.model import Json
from diagnose.questions.question import Policy, Question


class ClockReading(msgspec.Struct, frozen=True):
    """Unix times, in seconds: now, and when the machine started."""

    wall: float
    boot_wall: float

    def __post_init__(self) -> None:
        if not 0 <= self.wall < 2**34 or not -(2**34) < self.boot_wall < 2**34:
            raise ValueError("no time of this age of computers")


class ReadClock(Question[ClockReading], frozen=True):
    """The time now, and when the machine started."""

    POLICY = Policy(
        "now",
        what="the clock",
        collector="tool:now",
        lane="local",
        scope="tool",
        deadline=1,
        priority=0,
    )


class Site(msgspec.Struct, frozen=True):
    """This host's name, labels and salt from the configuration."""

    salt: str = ""
    """Mixed into the machine id, so that ids of two sites cannot be compared."""
    name: str = ""
    """The name of the host among others; empty for its own."""
    labels: dict[str, str] = {}
    """Free words by which hosts are grouped: rack, role, customer."""


class SiteIdentity(msgspec.Struct, frozen=True):
    """The identity of this host within its site."""

    machine: str = ""
    """The machine id, hashed with the salt of the site; empty where there is none."""
    name: str = ""
    labels: dict[str, str] = {}


class IdentifySite(Question[SiteIdentity], frozen=True):
    """The identity of this host within its site.

    The machine id itself is never recorded: machine-id(5) calls it confidential.
    """

    POLICY = Policy(
        "site", what="the identity of this host", collector="tool:site", lane="local", deadline=1
    )


class Options(msgspec.Struct, frozen=True):
    """The options of a run: the one struct from the command line to the recording.

    A recording holds those that evidence depends on: `RECORDED`.
    """

    host: str | None = None
    """`-H`: the URL of the engine."""
    context: str | None = None
    """`--context`: the docker context."""
    probe: bool = True
    """False after `--no-probe`: no DNS query is sent."""
    send: bool = False
    """True after `path --probe`: a packet may be sent to the address that the user names."""
    budget_s: float = 10.0
    """The seconds that the whole run may take, from the start of the process."""
    since_s: float = 86400.0
    """How many seconds back events and logs are read."""
    resolve: tuple[str, ...] = ()
    """Names that must resolve."""
    reach: tuple[str, ...] = ()
    """TCP ports of this host that other machines must reach: `8080`, or `192.0.2.10:8080`."""
    wanted: tuple[str, ...] = ()
    """The ids of the selected checks; none for all."""
    containers: tuple[str, ...] = ()
    """Names or ids of the containers that the report is about; none for all."""
    source: Path | None = None
    """A bundle or a recording that is judged instead of this host."""
    config: Path | None = None
    """A file with thresholds and silences, besides the usual ones."""
    record: Path | None = None
    """A folder for the recording of this run."""
    site: Site = Site()
    """What the configuration says of this host."""

    @property
    def recorded(self) -> dict[str, Json]:
        """The part that a recording holds, as JSON."""
        return {name: msgspec.to_builtins(getattr(self, name)) for name in RECORDED}


RECORDED = ("since_s", "resolve", "reach", "wanted", "budget_s", "probe")
"""The options that evidence depends on."""


class ReadOptions(Question[Options], frozen=True):
    """The options of this run."""

    POLICY = Policy(
        "options",
        what="the options of the run",
        collector="tool:options",
        lane="local",
        scope="tool",
        deadline=1,
        priority=0,
    )


class Caller(msgspec.Struct, frozen=True):
    """The user who runs the tool."""

    uid: int = 0
    user: str | None = None
    docker_group: bool = False
    """The group file makes the user a member of docker."""
    session_has_it: bool = False
    """This process carries it."""
    docker_gid: int | None = None
    """The number of that group; None where there is none."""
    docker_members: tuple[str, ...] = ()
    """Its members, as the group file has them."""
    is_administrator: bool | None = None
    """Whether it is root, or in a group that may use sudo; None where that was not recorded."""


class IdentifyCaller(Question[Caller], frozen=True):
    """The user and the rights of this process."""

    POLICY = Policy(
        "caller",
        what="the user and the rights of this process",
        collector="tool:caller",
        lane="local",
        scope="tool",
        deadline=1,
        priority=0,
    )


class KernelIdentity(msgspec.Struct, frozen=True):
    """The name of the machine and the release of its kernel, from uname."""

    nodename: str = ""
    release: str = ""


class IdentifyKernel(Question[KernelIdentity], frozen=True):
    """The name of the machine and the release of its kernel, from uname."""

    POLICY = Policy(
        "uname",
        what="the name and the version of the kernel",
        collector="kernel.host:uname",
        lane="local",
        scope="tool",
        deadline=1,
        priority=0,
    )
