"""Thresholds, silences and the site, in TOML.

Read from /etc/diagnose/, the user's own folder, and `--config`.

    [thresholds."storage.disk-full"]
    warn_pct = 90

    [[silence]]
    id = "image.latest-tag"
    subject = "container:dev-*"
    reason = "development containers follow latest on purpose"
    until = 2027-03-31

    [site]
    salt = "words of your own"      # mixed into the machine id of reports
    name = "web0412.example.net"    # instead of the host's own name
    labels = { rack = "b12", role = "web" }

    [redact]
    names = ["*_LICENCE", "X-Tenant"]           # what stands under these names is a secret

    [redact.patterns]
    customer = 'CUST-[0-9]{8}'                  # becomes <redacted:customer:...>

The current folder is never read: whoever runs the tool as root must not be steered by a file that
lies around.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from diagnose import registry
from diagnose.judgement import selection
from diagnose.judgement.silences import Silence
from diagnose.plain_file import NotPlainError, plain_text
from diagnose.questions.run import Site
from diagnose.shapes import convert

if TYPE_CHECKING:
    from diagnose.redact.own import OwnRules

SYSTEM = Path("/etc/diagnose")
MOST_DOTS = 200
"""In one line of a configuration."""
LARGEST = 2**20
"""Bytes of one configuration file."""


class ConfigError(Exception):
    """A configuration that cannot be used; the message names the file and what is wrong in it."""


class Config(msgspec.Struct, frozen=True):
    """The configuration, as the files in force give it."""

    thresholds: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    """Check id -> name of the threshold -> value."""
    silences: tuple[Silence, ...] = ()
    """In the order in which they are tried."""
    site: Site = Site()
    """Who this host is among others."""
    redaction: OwnRules | None = None
    """Redaction rules beside those of the tool."""
    notes: tuple[str, ...] = ()
    """Files and folders that could not be read and that the user did not name."""


def folders() -> Iterator[Path]:
    """The folders whose `*.toml` files are read, later ones win: the system's, the user's.

    The user's is that of the XDG Base Directory Specification, by which a relative path counts as
    none.
    """
    yield SYSTEM
    config_home = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    home = os.environ.get("HOME")
    if config_home.is_absolute():
        yield config_home / "diagnose"
    elif home:
        yield Path(home) / ".config/diagnose"


def _files(folder: Path) -> list[Path]:
    """The configuration files of a folder.

    OSError if it cannot be listed; none where it is not there.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except (FileNotFoundError, NotADirectoryError):
        return []


def load(chosen: Path | None) -> Config:
    """The configuration in force.

    ConfigError on a file that cannot be read, a wrong key, an unknown check or threshold.
    """
    thresholds: dict[str, dict[str, float]] = {}
    silences: list[Silence] = []
    site: dict[str, Any] = {}
    redaction = _Redaction()
    config_files = _config_files(chosen)
    notes = config_files.notes
    for path in config_files.paths:
        try:
            tables = _tables(path)
        except PermissionError as error:
            if path == chosen:
                raise ConfigError(f"cannot read {path}: {error.strerror}") from error
            notes.append(f"configuration {path} was not read: {error.strerror}")
            continue
        for id, values in _thresholds(path, tables.get("thresholds", {})):
            thresholds.setdefault(id, {}).update(values)
        silences.extend(_silence(path, row) for row in _rows(path, tables.get("silence", [])))
        site |= _site(path, tables.get("site", {}))
        if "redact" in tables:
            redaction = redaction.with_table(path, tables["redact"])
    return Config(
        thresholds,
        tuple(silences),
        convert(site, Site),
        redaction.rules() if redaction.names or redaction.patterns else None,
        tuple(notes),
    )


class _ConfigFiles(msgspec.Struct, frozen=True):
    """The files to read."""

    paths: list[Path]
    """Later ones win."""
    notes: list[str]
    """One for each folder that cannot be listed."""


def _config_files(chosen: Path | None) -> _ConfigFiles:
    paths: list[Path] = []
    notes: list[str] = []
    for folder in folders():
        try:
            paths += _files(folder)
        except OSError as error:
            notes.append(f"configuration in {folder} was not read: {error.strerror}")
    if chosen is not None:
        paths.append(chosen)
    return _ConfigFiles(paths, notes)


def _tables(path: Path) -> dict[str, Any]:
    """The tables of one file.

    PermissionError where this user may not read it, ConfigError for all else that is wrong.
    """
    try:
        tables = _parsed_tables(plain_text(path, LARGEST, follow=True))
    except PermissionError:
        raise
    except NotPlainError as error:
        raise ConfigError(f"cannot read the configuration: {error}") from error
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise ConfigError(f"{path}: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: its values are nested too deep") from error
    unknown = set(tables) - {"thresholds", "silence", "site", "redact"}
    if unknown:
        raise ConfigError(
            f"{path}: unknown key {min(unknown)!r} (thresholds, silence, site, redact)"
        )
    return tables


def _parsed_tables(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    ValueError where it is none, also where a key has so many parts that tomllib, which needs the
    square of their number, takes minutes. RecursionError for nested values.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > MOST_DOTS and not line.lstrip().startswith("#"):
            raise ValueError(f"line {number} has more than {MOST_DOTS} dots")
    import tomllib  # 4 ms, and most hosts have no configuration

    return tomllib.loads(text)


LONGEST_LABEL = 100
MOST_LABELS = 20


def _site(path: Path, table: Any) -> dict[str, Any]:
    """The table `[site]` of one file; keys of later files win."""
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: site is a table: [site]")
    unknown = set(table) - set(Site.__struct_fields__)
    if unknown:
        raise ConfigError(f"{path}: site has no key {min(unknown)!r} (salt, name, labels)")
    try:
        site = convert(table, Site)
    except msgspec.ValidationError:
        raise ConfigError(
            f"{path}: in [site], salt and name are texts, "
            'and labels is a table of texts: { rack = "b12" }'
        ) from None
    words = (site.name, *site.labels, *site.labels.values())
    if len(site.labels) > MOST_LABELS or max(map(len, words)) > LONGEST_LABEL:
        raise ConfigError(
            f"{path}: [site] takes at most {MOST_LABELS} labels, "
            f"and names of at most {LONGEST_LABEL} characters"
        )
    return table


class _Redaction(msgspec.Struct, frozen=True):
    """The tables `[redact]` of all files."""

    names: tuple[str, ...] = ()
    patterns: dict[str, str] = {}

    def with_table(self, path: Path, table: Any) -> _Redaction:
        """The same with the table of one more file."""
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: redact is a table: [redact]")
        unknown = set(table) - {"names", "patterns"}
        if unknown:
            raise ConfigError(f"{path}: redact has no key {min(unknown)!r} (names, patterns)")
        names = table.get("names", [])
        patterns = table.get("patterns", {})
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ConfigError(f'{path}: in [redact], names is a list of texts: ["X_LICENCE"]')
        if not isinstance(patterns, dict) or not all(
            isinstance(pattern, str) for pattern in patterns.values()
        ):
            raise ConfigError(f"{path}: [redact.patterns] has texts: customer = 'CUST-[0-9]{{8}}'")
        added = _Redaction((*self.names, *names), {**self.patterns, **patterns})
        try:
            added.rules()
        except ValueError as error:
            raise ConfigError(f"{path}: in [redact], {error}") from None
        return added

    def rules(self) -> OwnRules:
        from diagnose.redact.own import OwnRules

        return OwnRules(self.names, self.patterns)


def _thresholds(path: Path, table: Any) -> Iterator[tuple[str, dict[str, float]]]:
    """The thresholds in a file, by check. ConfigError for a value that is not a number."""
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: thresholds is a table of check ids")
    checks = registry.load() if table else {}
    for id, values in table.items():
        if id not in checks:
            raise ConfigError(f"{path}: {selection.unknown(id, checks)}")
        names = {threshold.name for threshold in checks[id].thresholds}
        for name, value in values.items() if isinstance(values, dict) else ():
            if name not in names:
                known_names = ", ".join(sorted(names)) or "none at all"
                raise ConfigError(f"{path}: {id} has no threshold {name!r} ({known_names})")
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise ConfigError(f"{path}: {id}.{name} is a number")
        yield id, dict(values)


def _rows(path: Path, rows: Any) -> list[dict[str, Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{path}: silence is a list of tables: [[silence]]")
    return rows


def _silence(path: Path, row: dict[str, Any]) -> Silence:
    """One silence in a file. ConfigError for one that is not written as it should be."""
    unknown = set(row) - {"id", "subject", "reason", "until"}
    if unknown:
        raise ConfigError(
            f"{path}: a silence has no key {min(unknown)!r} (id, subject, reason, until)"
        )
    if (
        not isinstance(row.get("id"), str)
        or not isinstance(row.get("reason"), str)
        or not row["reason"].strip()
    ):
        raise ConfigError(f"{path}: a silence needs an id and a reason")
    until = row.get("until")
    if until is not None and (not isinstance(until, date)):
        raise ConfigError(f"{path}: until is a date without quotes: 2027-03-31")
    return Silence(row["id"], row["reason"], str(row.get("subject", "*")), until, str(path))
