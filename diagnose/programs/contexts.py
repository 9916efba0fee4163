"""Known failures that need the lines around a complaint, where the complaint alone says too little.

The same words mean another thing in a migration than in a request. A bare exception shows its
subject by the library that raised it: the reader of an INI file, of an address, of a connection
string.
"""

import re
from collections.abc import Sequence

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure, LateTable, Recognised, recognise_family
from diagnose.programs.log_message import plain
from diagnose.programs.stack_traces import is_frame
from diagnose.programs.telling_line import TellingLine

_BEFORE = 4
"""Lines above a complaint in which a program may announce its work."""
_TRACE = 40
"""Lines around a complaint that may be frames of its trace."""
_OF_THE_SCHEMA = ("column-missing", "class-value", "class-version", "program-fault")
"""Failures that mean another thing where a migration meets them."""
_VAGUE = frozenset({"program-fault", "class-absent", "class-format", "class-value"})
"""Families that know only the kind of the exception."""
_MIGRATES = LazyPattern(
    r"\b(?:running|applying|performing|executing|starting)\b.{0,40}\bmigrations?\b"
    r"|\bmigrating\b.{0,30}\b(?:database|db|schema)\b|\b(?:database )?migration\b.{0,60}\bfailed\b"
    r"|\bchecking if there are any migrations to run\b",
    re.IGNORECASE,
)
"""Words of a program that changes its database to its own version."""
_IN_MIGRATION = LazyPattern(
    r"[/\\](?:db[/\\])?migrations?[/\\][^\s:]{1,200}|\bMigrations?\w{0,20}\.(?:up|run|migrate|Up|execute)\b"
    r"|\b(?:migrate|upgrade)_?(?:db|database|schema)\b|\bdb_?(?:upgrade|migrate)\b|\bflask_migrate\b"
)
"""A frame of the code of a migration."""

MIGRATION = Failure(
    name="migration-fails",
    mark="",
    pattern=r"(?s)(?P<why>.+)",
    cause="a migration by which this version of the program changes its database fails on the data that is there, so "
    "that it does not start",
    cure="run the image of the version before again, with a backup of the data if the migration "
    "has changed any; look in the program's release notes and issues for that message, and "
    "upgrade when it is fixed there",
    source="actualbudget/actual#4111, Casvt/MIND#51",
    build="earlier",
)
"""The program's own change of its data, and not a query of a request."""


_BUILDS = LateTable("diagnose.programs.families.builds", "BUILDS")
_MOVES = LazyPattern(r"^(?:mv|rm): cannot (?:remove|stat) ")
"""The command of a script that fails because its first start has already moved the files."""


class _Caller(msgspec.Struct, frozen=True):
    """A library whose frame is in the trace of an exception."""

    frame: LazyPattern
    """The frame, or another line of the same message."""
    failure: Failure
    replaces: frozenset[str]
    """The names of failures that explain less."""


_CALLERS = (
    _Caller(
        LazyPattern(r'\bconfigparser\.py", line \d+, in '),
        Failure(
            name="file-key-missing",
            mark="",
            pattern=r"(?:KeyError|NoOptionError|NoSectionError): \W{0,2}(?P<key>[\w .-]{1,80})",
            cause="the program's configuration file lacks {key}: it comes from an older version of the program, or of "
            "another place than the one that was filled in",
            cure="add {key} to the file as the documentation or the example of this version has it",
            source="Python documentation, configparser; DuckBoss/JJMumbleBot#289",
        ),
        _VAGUE | {"field-missing", "python-keyerror"},
    ),
    _Caller(
        LazyPattern(
            r"\b(?:Sql|Npgsql|MySql|Sqlite|Oracle)Connection(?:StringBuilder)?\.(?:set_ConnectionString|\.ctor)"
            r"|\bDb(?:Connection)?(?:Options|StringBuilder)\.|\bADP\.Is\w*Endpoint\b"
        ),
        Failure(
            name="connection-string",
            mark="",
            pattern=r"(?s).+",
            cause="the .NET program cannot read the address of its database (its connection string): it is empty, or "
            "not made of NAME=VALUE parts",
            cure="set the variables that the image's documentation names for its database, and see that they reach the "
            "container; ConnectionStrings__NAME is the usual one",
            source=".NET's own trace; Ramo-Y/BulkRename#23",
        ),
        _VAGUE,
    ),
    _Caller(
        LazyPattern(
            r"\bbinary_to_(?:integer|float)\(nil\)|\bInteger\.parse\(nil\)|\bString\.to_integer\(nil\)"
        ),
        Failure(
            name="number-of-settings-unset",
            mark="",
            pattern=r"(?s).+",
            cause="a number that the program takes from its settings is not set",
            cure="set the variable that holds it, as the documentation of this version names it, and see that it "
            "reaches the container",
            source="Elixir's own trace; m1dnight/exbin#28",
        ),
        _VAGUE,
    ),
)
"""The first whose frame is in the trace counts."""


def in_context(
    failure: Recognised | None, lines: Sequence[str], telling: TellingLine | None
) -> Recognised | None:
    """The failure as the lines around it show it; unchanged where they show nothing more."""
    if telling is None or not telling.explains:
        return failure
    name = failure.name if failure is not None else ""
    trace = [plain(line) for line in lines[max(0, telling.index - _TRACE) : telling.index + _TRACE]]
    frames = [line for line in trace if is_frame(line)]
    for caller in _CALLERS:
        if name in caller.replaces and any(map(caller.frame.search, trace)):
            match = caller.failure.compiled.search(telling.whole)
            if match is not None:
                return Recognised(caller.failure, telling.whole, match.groupdict(""))
    if name == "path-missing" and _MOVES.match(telling.whole):
        left_by_start = next(filter(None, map(_left_by_a_start, trace)), None)
        if left_by_start is not None:
            return left_by_start
    if name in _OF_THE_SCHEMA and _is_migration(lines, telling, frames):
        return Recognised(MIGRATION, telling.whole, {})
    return failure


def _left_by_a_start(line: str) -> Recognised | None:
    """The failure of a start script that finds a part which its own first start has made, by a
    line of its log; None for any other line."""
    family = recognise_family(TellingLine(line), _BUILDS)
    return family if family is not None and family.name == "start-not-repeatable" else None


def _is_migration(lines: Sequence[str], telling: TellingLine, frames: Sequence[str]) -> bool:
    """Whether the program was changing its database when it met the complaint."""
    above = [plain(line) for line in lines[: telling.index] if not is_frame(plain(line))][-_BEFORE:]
    return any(map(_IN_MIGRATION.search, frames)) or any(map(_MIGRATES.search, above))
