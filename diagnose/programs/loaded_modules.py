"""Programs that load only the modules of a list, and signs that somebody wants one. Pure data."""

import msgspec

from diagnose.lazy_pattern import LazyPattern


class LoadedModule(msgspec.Struct, frozen=True):
    """A module that works only where the program's list has it."""

    image: LazyPattern
    names: tuple[str, ...]
    """The module, and others that do the same."""
    settings: LazyPattern
    """A setting of the module: a variable with its value, a word of the command, a line."""
    listing: LazyPattern
    """The setting with the list, with the group `list`."""
    usual: str
    """What the program loads without such a setting."""
    files: tuple[str, ...]
    """The usual files of settings in the container."""
    named_by: LazyPattern
    """A variable, or two words of the command, with the group `path`: another such file."""
    further_files: tuple[str, ...] = ()
    """Files that are read besides those or the named one."""
    folder: str = ""
    """The folder of the files without a slash before them."""
    folder_variable: str = ""
    """The variable with another such folder."""
    includes: LazyPattern | None = None
    """A line that names more files of settings, which are not looked at."""


_POSTGRES = LazyPattern(r"(?:^|/)(?:postgres|postgresql|pgvector|postgis|timescaledb)\b[^/]*$")
_OF_POSTGRES = LazyPattern(
    r"(?m)^(?:-c )?[ \t]*(?:shared|session|local)_preload_libraries[ \t]*=[ \t]*(?P<list>[^\n#]*)"
)
_POSTGRES_FILE = LazyPattern(r"\bconfig_file=(?P<path>/\S+)")
_POSTGRES_FILES = ("postgresql.conf", "/etc/postgresql/postgresql.conf")
_OTHER_FILES = LazyPattern(r"(?m)^[ \t]*include(?:_dir|_if_exists)?[ \t=]+'[^'\n]")


def _postgres_library(name: str, settings: str) -> LoadedModule:
    """A library of PostgreSQL, whose settings begin with its name."""
    return LoadedModule(
        _POSTGRES,
        (name,),
        LazyPattern(rf"(?m)^[ \t]*{settings}[ \t]*=[^\n]+"),
        _OF_POSTGRES,
        usual="",
        files=_POSTGRES_FILES,
        named_by=_POSTGRES_FILE,
        further_files=("postgresql.auto.conf",),
        folder="/var/lib/postgresql/data",
        folder_variable="PGDATA",
        includes=_OTHER_FILES,
    )


LOADED_MODULES = (
    LoadedModule(
        LazyPattern(r"(?i)odoo|doodba|openerp"),
        ("queue_job", "queue_job_cron_jobrunner"),
        LazyPattern(
            r"(?m)^(?:ODOO_(?:QUEUE_JOB|CONNECTOR)_CHANNELS=\S+|\[(?:options-)?queue_job\][ \t]*$)"
        ),
        LazyPattern(
            r"(?m)(?:^--load[= ]|^[ \t]*server_wide_modules[ \t]*=|^SERVER_WIDE_MODULES=)[ \t]*"
            r"(?P<list>[^\n]*)"
        ),
        usual="base,web",
        files=("/etc/odoo/odoo.conf", "/opt/odoo/auto/odoo.conf"),
        named_by=LazyPattern(r"(?m)^(?:OPENERP_SERVER=|ODOO_RC=|--config[= ]|-c )(?P<path>/\S+)"),
    ),
    _postgres_library("pg_cron", r"cron\.\w+"),
    _postgres_library("pg_stat_statements", r"pg_stat_statements\.\w+"),
    _postgres_library("auto_explain", r"auto_explain\.\w+"),
    _postgres_library("pgaudit", r"pgaudit\.\w+"),
    _postgres_library("timescaledb", r"timescaledb\.\w+"),
)
"""Their documentation. PostgreSQL takes settings of a library that it has not loaded without a
word, and Odoo settings of a module."""
