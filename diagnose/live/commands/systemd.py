"""Collectors for systemd.

A unit's properties, the journal, and dockerd's own check of its configuration file.
"""

import json
import stat
from pathlib import Path

from diagnose.live import Live, Refused
from diagnose.live.commands.run import find, run
from diagnose.live.helper import MARGIN_S
from diagnose.model import Json
from diagnose.questions.service import ReadJournal, ReadUnit, ValidateConfig

PROPERTIES = (
    "Id",
    "LoadState",
    "LoadError",
    "Job",
    "Requires",
    "BindsTo",
    "Requisite",
    "ActiveState",
    "SubState",
    "Result",
    "UnitFileState",
    "FragmentPath",
    "DropInPaths",
    "NeedDaemonReload",
    "ExecStart",
    "ExecMainPID",
    "ExecMainCode",
    "ExecMainStatus",
    "ExecMainStartTimestamp",
    "ExecMainExitTimestamp",
    "ActiveEnterTimestamp",
    "InactiveEnterTimestamp",
    "StateChangeTimestamp",
    "MainPID",
    "NRestarts",
    "Restart",
    "StartLimitBurst",
    "StartLimitIntervalUSec",
    "Environment",
    "EnvironmentFiles",
    "LimitNOFILE",
    "TasksMax",
    "Delegate",
    "KillMode",
    "Triggers",
    "TriggeredBy",
    "Listen",
    "InvocationID",
)
FIELDS = "PRIORITY,_PID,SYSLOG_IDENTIFIER,MESSAGE,INVOCATION_ID,_SYSTEMD_INVOCATION_ID"


def unit(live: Live, question: ReadUnit) -> Json:
    """The properties of a unit as the service manager prints them.

    Raises Refused("missing") where systemd does not run.
    """
    _require_systemd()
    name = _unit_name(question.name)
    argv = [
        find("systemctl"),
        "show",
        name,
        "--no-pager",
        "--timestamp=unix",
        "-p",
        ",".join(PROPERTIES),
    ]
    done = run(argv, live.deadline(question) - MARGIN_S)
    if done.code and "timestamp" in done.stderr:  # before systemd 247 there is no --timestamp
        argv.remove("--timestamp=unix")
        done = run(argv, live.deadline(question) - MARGIN_S)
    if done.code:
        raise Refused("refused", done.stderr.strip())
    return parse_properties(done.stdout)


def parse_properties(text: str) -> dict[str, str]:
    """The `Name=value` lines of `systemctl show`.

    A property that comes again (Listen) is joined by newlines.
    """
    properties: dict[str, str] = {}
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator:
            properties[name] = f"{properties[name]}\n{value}" if name in properties else value
    return properties


def journal(live: Live, question: ReadJournal) -> Json:
    """The newest lines of a unit's journal, oldest first.

    Of this boot only. Refused("forbidden") for a caller without access to it, "missing" where there
    is no journal.
    """
    chosen = ["-u", _unit_name(question.unit), "-b"]
    deadline = live.deadline(question) - MARGIN_S
    return {"entries": journal_entries(chosen, question.lines, deadline)}


def journal_entries(chosen: list[str], lines: int, seconds: float) -> list[dict[str, Json]]:
    """The newest journal entries that these options of journalctl choose, oldest first."""
    argv = [
        find("journalctl"),
        *chosen,
        "-n",
        str(lines),
        "-o",
        "json",
        "--no-pager",
        f"--output-fields={FIELDS}",
    ]
    done = run(argv, seconds)
    entries = parse_journal(done.stdout)
    if not entries and ("ermission" in done.stderr or "not seeing messages" in done.stderr):
        raise Refused("forbidden", "reading the journal needs root or the group systemd-journal")
    if done.code and not entries:
        raise Refused("refused", done.stderr.strip())
    return entries


def parse_journal(text: str) -> list[dict[str, Json]]:
    """The entries of `journalctl -o json`: one object per line.

    A message that is not UTF-8 comes as a list of bytes.
    """
    entries = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        message = entry.get("MESSAGE") or ""
        if isinstance(message, list):
            message = bytes(message).decode("utf-8", "replace")
        entries.append(
            {
                "cursor": entry.get("__CURSOR", ""),
                "at": int(entry.get("__REALTIME_TIMESTAMP", 0)) / 1e6,
                "priority": int(entry.get("PRIORITY", 6)),
                "pid": int(entry["_PID"]) if "_PID" in entry else None,
                "identifier": entry.get("SYSLOG_IDENTIFIER", ""),
                "message": message,
                "invocation": entry.get("_SYSTEMD_INVOCATION_ID")
                or entry.get("INVOCATION_ID")
                or "",
            }
        )
    return entries


def _only_root_writes(program: str) -> bool:
    """Whether only root can have written this program."""
    status = Path(program).stat()
    return status.st_uid == 0 and not status.st_mode & (stat.S_IWOTH | stat.S_IWGRP)


def validate(live: Live, question: ValidateConfig) -> Json:
    """dockerd's own judgement of a configuration file (engine 23.0).

    It starts nothing and writes nothing.

    Refused("not allowed") for an engine that does not know --validate, and for a program that
    others than root may have written.
    """
    program = question.dockerd
    config = question.config
    if not program.startswith("/") or not _only_root_writes(program):
        raise Refused("not allowed", f"{program} is not a program of root's")
    # static binaries lie in one folder: without docker-proxy in PATH every file would be refused
    done = run(
        [program, "--validate", "--config-file", config],
        live.deadline(question) - MARGIN_S,
        beside=str(Path(program).parent),
    )
    if "unknown flag" in done.stderr:
        raise Refused("not allowed", f"{program} does not know --validate")
    return {"ok": done.code == 0, "text": (done.stderr or done.stdout).strip()}


def _require_systemd() -> None:
    if not Path("/run/systemd/system").is_dir():
        raise Refused("missing", "systemd does not run here")


def _unit_name(text: Json) -> str:
    name = str(text)
    if not name or name.startswith("-"):
        raise Refused("not allowed", f"{name!r} is not the name of a unit")
    return name
