"""The functions with which workers of the helper process read the host's crontabs and units that
call docker."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from diagnose.live.disk.jobs.cron_files import closed_folders, crontabs, text_of
from diagnose.mappings import paired
from diagnose.model import Json

_UNITS = ("/etc/systemd/system", "/usr/local/lib/systemd/system")
"""Where people put units of their own; those of packages lie elsewhere."""
_OTHER_FOLDERS = ("/usr/local/bin", "/usr/local/sbin", "/usr/sbin", "/snap/bin", "/opt/bin")
"""Folders with programs in which cron does not look by itself."""
_PLUGINS = tuple(
    f"{folder}/docker/cli-plugins/docker-compose"
    for folder in ("/usr/libexec", "/usr/lib", "/usr/local/libexec", "/usr/local/lib")
)
"""The places of `docker compose`."""
_RUN_PARTS = ("/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly")
_FOR_ONCE = re.compile(r"^(?:Condition|Assert)(?:\w+=\|?!|FirstBoot=)", re.MULTILINE)
_MOST_SCRIPTS = 20
_MOST = 300
"""Units of one folder."""


class _Unit(NamedTuple):
    """A unit of a service, with the texts of its drop-ins."""

    path: str
    text: str
    more: list[str]

    @property
    def whole(self) -> str:
        return "\n".join([self.text, *self.more])


def host_jobs(_args: Json) -> Json:
    """See `cron.host_jobs`. A file that cannot be read has none."""
    units = list(_units())
    lines = list(_lines(units))
    return {
        "calls": _calls(lines),
        "units": _short_lived_units(units),
        "prunes": _prunes(lines),
        "runs": [*_runs_of_jobs(lines), *_runs_of_units(units)],
        "lost": list(_lost_programs()),
        "closed": closed_folders(),
    }


class _Line(NamedTuple):
    """A line that calls docker."""

    path: str
    number: int
    text: str

    @property
    def place(self) -> dict[str, Json]:
        return {"path": self.path, "line": self.number}


def _lines(units: Sequence[_Unit]) -> Iterator[_Line]:
    """The lines of crontabs, and ExecStart= of units, that call the host's own engine."""
    from diagnose.live.disk.jobs.host_calls import names_engine  # only in runs on a host

    tables = ((path, text, text) for path, text in crontabs() if not _has_own_engine(path))
    for path, text, whole in (*tables, *((unit.path, unit.text, unit.whole) for unit in units)):
        if "docker" not in text or names_engine(whole):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if path.endswith(".service") and not line.startswith("ExecStart="):
                continue
            if "docker" in line:
                yield _Line(path, number, line)


def _calls(lines: Sequence[_Line]) -> list[Json]:
    """The calls that name a container."""
    from diagnose.live.disk.jobs.host_calls import named_calls  # only in runs on a host

    return [{**line.place, **call._asdict()} for line in lines for call in named_calls(line.text)]


def _runs_of_jobs(lines: Sequence[_Line]) -> Iterator[Json]:
    """The lines of crontabs that run a container under a name, and that no job removes."""
    from diagnose.live.disk.jobs.named_runs import makes_room, name_of_run  # only in runs on a host

    of_scripts = list(_lines_of_scripts())
    for line in lines:
        name = "" if line.path.endswith(".service") else name_of_run(line.text)
        others = [other.text for other in lines if other is not line]
        if name and not any(makes_room(text, name) for text in (*others, *of_scripts)):
            yield {**line.place, "name": name, "is_enabled": True}


def _runs_of_units(units: Sequence[_Unit]) -> Iterator[Json]:
    """The units that run a container under a name, and never remove it.

    A unit with a condition for the first time, or for the lack of a file, may not run again.
    """
    from diagnose.live.disk.jobs.host_calls import names_engine, unit_settings
    from diagnose.live.disk.jobs.named_runs import name_of_unit_run  # only in runs on a host

    for unit in units:
        is_for_once = _FOR_ONCE.search(unit.whole) is not None
        if "docker" not in unit.text or names_engine(unit.whole) or is_for_once:
            continue
        settings = unit_settings([unit.text, *unit.more])
        name = name_of_unit_run(unit.path.rpartition("/")[2], settings)
        if name:
            yield {"path": unit.path, "name": name, "is_enabled": _is_enabled(unit.path)}


def _lines_of_scripts() -> Iterator[str]:
    """The lines of the scripts that run-parts runs each hour, day, week and month."""
    for folder in _RUN_PARTS:
        for path in _files_in(folder, ""):
            text = text_of(path)
            if "docker" in text:
                yield from text.splitlines()


def _prunes(lines: Sequence[_Line]) -> list[Json]:
    """The calls that remove volumes."""
    from diagnose.live.disk.jobs.cron_lines import volume_prunes  # only in runs on a host

    return [
        {**line.place, **call._asdict()}
        for line in lines
        for call in volume_prunes(line.text.removeprefix("ExecStart="))
    ]


def _lost_programs() -> Iterator[Json]:
    """The programs of docker that jobs call by their bare names, and that cron does not find."""
    from diagnose.live.disk.jobs.cron_programs import (  # only in runs on a host
        calls_in_crontab,
        calls_in_script,
        scripts_in_crontab,
    )

    if os.path.lexists("/etc/alpine-release"):  # its cron has the path of the system
        return
    scripts: dict[str, str] = {}
    calls = []
    for path, text in crontabs():
        calls += [(path, call) for call in calls_in_crontab(path, text)]
        scripts |= dict(scripts_in_crontab(path, text))
    for path, folders in [*scripts.items()][:_MOST_SCRIPTS]:
        calls += [(path, call) for call in calls_in_script(text_of(path), folders)]
    for path, call in calls:
        program = call.program
        if not any(_is_program(f"{folder}/{program}") for folder in call.folders.split(":")):
            other_paths = (f"{folder}/{program}" for folder in _OTHER_FOLDERS)
            yield {
                "path": path,
                **call._asdict(),
                "found_at": next(filter(_is_program, other_paths), ""),
                "has_plugin": any(map(_is_program, _PLUGINS)),
            }


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)  # noqa: PTH113 - called in each run


def _has_own_engine(crontab: str) -> bool:
    """Whether a crontab is that of a user with a rootless engine, which its calls may mean."""
    if not crontab.startswith("/var/spool/cron/"):
        return False
    try:
        owner = os.stat(crontab).st_uid  # noqa: PTH116 - called in each run
    except OSError:
        return False
    return os.path.lexists(f"/run/user/{owner}/docker.sock")


def _short_lived_units(units: Sequence[_Unit]) -> list[Json]:
    """The units that stop at once what they have started."""
    from diagnose.live.disk.jobs.host_calls import names_engine, short_lived_unit, unit_settings

    short_lived: list[Json] = []
    for unit in units:
        if "docker" not in unit.text or names_engine(unit.whole):
            continue
        stopped = short_lived_unit(unit_settings([unit.text, *unit.more]))
        if isinstance(stopped, dict):
            short_lived.append({"path": unit.path, **stopped, "is_enabled": _is_enabled(unit.path)})
    return short_lived


def _is_enabled(path: str) -> bool:
    """Whether a target wants the unit: `systemctl enable` makes a link."""
    name = path.rpartition("/")[2]
    wants = _files_in(_UNITS[0], ".wants")
    return any(os.path.lexists(f"{folder}/{name}") for folder in wants)


def _units() -> Iterator[_Unit]:
    """The units of services with the texts of their drop-ins."""
    for folder in _UNITS:
        for path in _files_in(folder, ".service"):
            text = text_of(path)
            if text:
                more = [text_of(part) for part in _files_in(f"{path}.d", ".conf")]
                yield _Unit(path, text, more)


def _files_in(folder: str, end: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - called in each run
    except OSError:
        return []
    return [f"{folder}/{name}" for name in names if name.endswith(end)][:_MOST]


_IF_UP = "/etc/network/if-up.d"
"""Scripts that run whenever an interface of the host comes up."""


def rule_flushes(_args: Json) -> Json:
    """See `cron.rule_flushes`. A file that cannot be read has none."""
    from diagnose.live.disk.jobs.flush_lines import flushes  # only where rules are gone

    tables = [(path, text, True) for path, text in crontabs()]
    tables += [(unit.path, unit.text, False) for unit in _units()]
    tables += [(path, text_of(path), False) for path in _files_in(_IF_UP, "")]
    return [
        {
            "path": path,
            "line": flush.line,
            "text": flush.text,
            "script": flush.script,
            "is_repeated": is_repeated and not flush.is_at_start,
        }
        for path, text, is_repeated in tables
        for flush in flushes(text, text_of)
    ]


def shell_variables(args: Json) -> Json:
    """See `cron.shell_variables`."""
    from diagnose.live.disk.shell_variables import (  # only where compose has made containers
        paths_of_shells,
        shell_variables,
    )

    scripts = [*paths_of_shells(["/root"]), *_files_in("/etc/profile.d", ".sh")]
    texts = dict(paired(scripts, text_of))
    texts |= {unit.path: unit.whole for unit in _units()}
    return list(shell_variables(texts, set(args["names"])))
