"""Jobs of cron inside containers that cannot do their work, as their crontabs and scripts show.

The output of a job goes to a mail that is not delivered: no log shows that it fails.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.passwd import USERS_FILE, user_entries
from diagnose.evidence.machine.processes import Processes
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing
from diagnose.questions.files import FileText, ReadFile
from diagnose.registry import evidence

MOST = 12
"""Containers with cron that are looked into."""
MOST_SCRIPTS = 6
"""Scripts of one container that are read."""
SCRIPT_BYTES = 32 * 1024
PROGRAMS = frozenset({"cron", "crond"})
"""Debian's cron, and that of others."""
SPOOL = "/var/spool/cron/crontabs"
"""Debian and busybox keep a crontab for each user there, by the user's name."""
SYSTEM = "/etc/cron.d"
_PASSES = "/etc/environment"
"""Debian's cron gives jobs what this file says, by PAM."""
FETCHES = "fetches"
"""A word of the parts of a file: the command reads variables from elsewhere."""
_STARTS_BASH = "BASH_ENV"
"""Names a file that bash reads before each job: often one with the container's variables."""
_OF_EVERY_PROCESS = frozenset(
    {"HOME", "HOSTNAME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "TZ", "USER"}
)


class BareJob(msgspec.Struct, frozen=True):
    """A job that uses variables of its container, which cron does not pass on."""

    container: Container
    crontab: str
    script: str
    """The file with these words; the crontab itself where the command has them."""
    variables: tuple[str, ...]


class Ownerless(msgspec.Struct, frozen=True):
    """A crontab whose user the container does not have."""

    container: Container
    user: str


class CronJobs(Items[BareJob], frozen=True):
    """The bare jobs, at most one for each container, and crontabs that no cron reads."""

    ownerless: tuple[Ownerless, ...] = ()


@evidence
def cron_jobs(host: Host, containers: Containers, processes: Processes) -> CronJobs:
    """The cron jobs in containers that cannot do their work, and the crontabs that no cron reads.

    A few files of each container in which cron runs; most hosts have none. The collector gives
    nothing where the tool may not look into a container.
    """
    bare: list[BareJob] = []
    ownerless: list[Ownerless] = []
    for container in containers.running:
        commands = processes.names_inside(container.id)
        if not commands & PROGRAMS or len(bare) + len(ownerless) >= MOST:
            continue
        root = f"/proc/{container.state.pid}/root"
        spool = names_of_tables(host, root, SPOOL)
        ownerless += _ownerless_tables(host, root, container, spool)
        if "cron" in commands:  # busybox's cron passes its own environment on
            tables = [f"{SPOOL}/{name}" for name in spool]
            tables += [f"{SYSTEM}/{name}" for name in names_of_tables(host, root, SYSTEM)]
            job = next(_bare_jobs(host, root, container, [*tables, "/etc/crontab"]), None)
            if job is not None:
                bare.append(job)
    return CronJobs(tuple(bare), tuple(ownerless))


def names_of_tables(host: Host, root: str, folder: str) -> list[str]:
    """The files of a folder that cron reads; it passes over those with a dot in front, and those
    that crontab is about to write."""
    listing = folder_listing(host, folder, root=root)
    return [
        entry.name
        for entry in listing.entries
        if entry.type == "file" and not entry.name.startswith((".", "cron.", "tmp."))
    ]


def _lines(host: Host, file: ReadFile) -> list[str]:
    """The lines of a file; none where it cannot be read."""
    return host.answer_or(file, FileText("")).text.splitlines()


def _ownerless_tables(
    host: Host, root: str, container: Container, spool: Sequence[str]
) -> Iterator[Ownerless]:
    """The tables of cron whose owner is not a user of the container."""
    question = ReadFile(USERS_FILE, root=root)
    passwd = host.answer_or(question, FileText("")).text if spool else ""
    users = {entry.name for entry in user_entries(passwd)}
    for name in spool:
        if users and name not in users:
            yield Ownerless(container, name)


class _CronJob(msgspec.Struct, frozen=True):
    crontab: str
    files: list[str]
    variables: set[str]
    own: frozenset[str]
    """The variables that the crontab sets."""


def _bare_jobs(
    host: Host, root: str, container: Container, tables: Iterable[str]
) -> Iterator[BareJob]:
    """The jobs that use a variable which the container has and cron does not give them.

    root: the folder of the host under which the container's files are seen.
    """
    passed = {
        line.partition("=")[0].strip('" ') for line in _lines(host, ReadFile(_PASSES, root=root))
    }
    variables = {name for name, value in container.config.environment if value}
    lacking = variables - passed - _OF_EVERY_PROCESS
    if not lacking:
        return
    scripts_read = 0
    for job in _jobs(host, root, tables):
        if _STARTS_BASH in job.own:
            continue
        lost = lacking - job.own
        lost_in_crontab = job.variables & lost
        if lost_in_crontab:
            yield BareJob(container, job.crontab, job.crontab, tuple(sorted(lost_in_crontab)))
        for script in job.files:
            if scripts_read >= MOST_SCRIPTS:
                return
            scripts_read += 1
            lost_in_script = _used_variables(host, root, script) & lost
            if lost_in_script:
                yield BareJob(container, job.crontab, script, tuple(sorted(lost_in_script)))


def _used_variables(host: Host, root: str, script: str) -> set[str]:
    """The variables that a script uses; none of one that reads the container's own by itself."""
    words = _lines(host, ReadFile(script, SCRIPT_BYTES, root=root, parts="used variables"))
    return set() if FETCHES in words else set(words)


def _jobs(host: Host, root: str, tables: Iterable[str]) -> Iterator[_CronJob]:
    for table in tables:
        lines = _lines(host, ReadFile(table, root=root, parts="jobs"))
        set_variables = frozenset(line[:-1] for line in lines if line.endswith("="))
        for words in (line.split() for line in lines if not line.endswith("=")):
            if FETCHES not in words:
                files = [word for word in words if word.startswith("/")]
                named_variables = {word[1:] for word in words if word.startswith("$")}
                yield _CronJob(table, files, named_variables, set_variables)
