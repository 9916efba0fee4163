"""Questions about what cron and systemd of the host do with docker."""

import msgspec

from diagnose.questions.question import Policy, Question


class CronCall(msgspec.Struct, frozen=True):
    """A line of the host's cron that calls docker with a terminal, which cron does not have."""

    path: str
    line: int
    flag: str
    """The option that asks for it, as it is written: `-it`."""
    target: str
    """The container or the image that the call names; "" where that is a variable."""
    text: str
    """The call, up to the program that it starts in the container."""


class ListCronCalls(Question[list[CronCall]], frozen=True):
    """The calls of `docker exec` and `docker run` with -i and -t in the host's crontabs."""

    POLICY = Policy(
        "cron.calls",
        what="the cron jobs of the host",
        collector="disk.jobs.collectors:cron_calls",
        lane="file",
        deadline=1.5,
        priority=6,
    )


class JobCall(msgspec.Struct, frozen=True):
    """A line of a crontab or of a unit that calls docker with the name of a container."""

    path: str
    line: int
    verb: str
    """exec, cp, start, restart, stop or kill."""
    target: str


class DockerUnit(msgspec.Struct, frozen=True):
    """A unit whose client of docker ends at once, so that ExecStop= stops what it has started."""

    path: str
    start: str
    stop: str
    target: str = ""
    """The container that both name; "" for a project of compose."""
    is_enabled: bool = False
    """Whether systemd starts it with a target."""


class NamedRun(msgspec.Struct, frozen=True):
    """A line of a crontab or a unit that runs a container under a name, and never removes it."""

    path: str
    name: str
    line: int = 0
    """0 for a unit."""
    is_enabled: bool = False
    """Whether systemd starts the unit with a target; True for a crontab."""

    @property
    def is_unit(self) -> bool:
        return not self.line


class PruneCall(msgspec.Struct, frozen=True):
    """A line of a crontab or of a unit that has docker remove what no container uses."""

    path: str
    line: int
    text: str
    """The call: `docker system prune -af --volumes`."""
    kind: str
    """volume or system."""
    every: bool = False
    """Whether it asks for volumes with a name too, which engines before 23 always take."""


class LostProgram(msgspec.Struct, frozen=True):
    """A program that a job of cron calls by its bare name, and that cron does not find."""

    path: str
    """The crontab, or the script that a crontab runs."""
    line: int
    program: str
    """docker or docker-compose."""
    folders: str
    """The folders in which cron looks: /usr/bin:/bin."""
    found_at: str = ""
    """The path of the program elsewhere on the host; "" where the host has none."""
    has_plugin: bool = False
    """Whether the host has `docker compose` in its place."""


class HostJobs(msgspec.Struct, frozen=True):
    """The jobs of cron and systemd on the host that name containers or remove volumes."""

    calls: list[JobCall] = []
    """Calls about a container by its name; without lines that look first whether it is there."""
    units: list[DockerUnit] = []
    closed: list[str] = []
    """Folders of crontabs that this user may not list."""
    lost: list[LostProgram] = []
    """Calls of programs that cron does not find."""
    runs: list[NamedRun] = []
    """Runs under a name that the container of the run before still has."""
    prunes: list[PruneCall] = []
    """Calls that remove volumes; without those that choose by a label."""


class ReadHostJobs(Question[HostJobs], frozen=True):
    """Crontabs, and units in the folders for units of one's own; each file is read once."""

    POLICY = Policy(
        "host.docker-jobs",
        what="the cron jobs and the units of the host",
        collector="disk.jobs.collectors:host_jobs",
        lane="file",
        scope="host",
        deadline=1.5,
        priority=6,
    )


class RuleFlush(msgspec.Struct, frozen=True):
    """A job of the host that deletes all rules of a table, those of other programs included."""

    path: str
    """The crontab, the unit, or the script that runs when an interface comes up."""
    line: int
    """The line that deletes them, or that runs `script`."""
    text: str
    """The command: `iptables -F`."""
    script: str = ""
    """The script with the command, where the line itself only runs that."""
    is_repeated: bool = False
    """Whether cron runs the line again and again."""


class ListRuleFlushes(Question[list[RuleFlush]], frozen=True):
    """Jobs that flush the packet filter: crontabs, units of one's own, and if-up.d."""

    POLICY = Policy(
        "host.rule-flushes",
        what="the jobs that flush the packet filter",
        collector="disk.jobs.collectors:rule_flushes",
        lane="file",
        scope="host",
        deadline=1.5,
        priority=6,
    )


class ShellVariable(msgspec.Struct, frozen=True):
    """A variable that a file of the host sets for who calls compose."""

    path: str
    variable: str
    """NAME=value."""


class ListShellVariables(Question[list[ShellVariable]], frozen=True):
    """The variables of these names in /etc/environment, in profiles of root, and in units."""

    POLICY = Policy(
        "host.shell-variables",
        what="the variables of shells and units",
        collector="disk.jobs.collectors:shell_variables",
        lane="file",
        scope="host",
        deadline=1.5,
        priority=6,
    )
    names: list[str]
