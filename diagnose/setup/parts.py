"""The parts of `diagnose setup`.

Each knows whether it is in, and how to put it in and take it out.
"""

import json
import secrets
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from diagnose.setup import manual
from diagnose.setup.places import SetupPlaces
from diagnose.version import __version__

MARK = "ritten by diagnose setup"
"""In each file of ours, after a W or a w; a file without it is another's, and is left alone."""
HOOKS = "run,start,create,exec,pull,build,compose"
"""The commands of docker after which its client asks our plugin for a next step."""
TEXTS = Path(__file__).parent


class SetupError(Exception):
    """A part cannot be put in or taken out; one clear sentence."""


State = Literal["in", "out", "in, of another version"]


@dataclass(frozen=True)
class SetupPart(ABC):
    """One part of `diagnose setup`."""

    name: str
    what: str
    """One line for the list."""

    @abstractmethod
    def state(self) -> State:
        """Whether the part is installed: in, out, or in of another version."""

    @abstractmethod
    def put_in(self) -> None:
        """SetupError where a file cannot be written, or is another's."""

    @abstractmethod
    def take_out(self) -> None:
        """Leaves what is not ours."""


@dataclass(frozen=True)
class _Files(SetupPart):
    """A part that consists of files."""

    files: Mapping[Path, str]
    """The text of each."""
    mode: int = 0o644

    def state(self) -> State:
        texts = {path: _our_text(path) for path in self.files}
        if not any(texts.values()):
            return "out"
        return "in" if texts == dict(self.files) else "in, of another version"

    def put_in(self) -> None:
        for path, text in self.files.items():
            if path.exists() and _our_text(path) is None:
                raise SetupError(f"{path} exists and is not of diagnose setup; it was left alone")
            _write(path, text, self.mode)

    def take_out(self) -> None:
        for path in self.files:
            if _our_text(path) is not None:
                path.unlink()


@dataclass(frozen=True)
class _ClientHook(SetupPart):
    """Two entries of the docker client's configuration.

    Which commands ask our plugin, and that plugins may be asked at all.
    """

    path: Path

    def state(self) -> State:
        config = _configuration(self.path)
        hooks = _section(config, "plugins").get("diagnose", {}).get("hooks")
        is_on = _section(config, "features").get("hooks") == "true"
        if hooks is None:
            return "out"
        return "in" if hooks == HOOKS and is_on else "in, of another version"

    def put_in(self) -> None:
        config = _configuration(self.path)
        plugins = _section(config, "plugins")
        features = _section(config, "features")
        ours = {**plugins.get("diagnose", {}), "hooks": HOOKS}
        config["plugins"] = {**plugins, "diagnose": ours}
        config["features"] = {**features, "hooks": "true"}
        self._keep(config)

    def take_out(self) -> None:
        """Remove both entries, and what is empty without them."""
        if not self.path.exists():
            return
        config = _configuration(self.path)
        plugins = _section(config, "plugins")
        features = _section(config, "features")
        plugins.pop("diagnose", None)
        if not any("hooks" in entry for entry in plugins.values() if isinstance(entry, dict)):
            features.pop("hooks", None)
        for name in ("plugins", "features"):
            if not _section(config, name):
                config.pop(name, None)
        self._keep(config)

    def _keep(self, config: Mapping[str, Any]) -> None:
        _write(self.path, json.dumps(config, indent="\t") + "\n", _mode(self.path))


def parts(places: SetupPlaces, group: click.Group, program: Path) -> list[SetupPart]:
    """All parts, for these places."""
    pages = {places.man / name: text for name, text in manual.pages(group).items()}
    setup_parts: list[SetupPart] = [
        _Files(
            "plugin",
            "`docker diagnose`",
            {places.plugins / "docker-diagnose": _filled_template("docker-diagnose.sh", program)},
            mode=0o755,
        ),
        _ClientHook("hook", "the next step after a failed docker command", places.docker_config),
        _Files("completion", "completion in bash, zsh and fish", completions(places, group)),
        _Files("man", "man pages", pages),
        _Files(
            "ansible", "the Ansible collection diagnose.docker_host", collection(places.collections)
        ),
    ]
    if places.units is not None:
        units = {
            places.units / name: _filled_template(name, program)
            for name in ("diagnose.service", "diagnose.timer")
        }
        setup_parts.append(
            _Files("timer", "a report each hour in /var/lib/diagnose/reports", units)
        )
    return setup_parts


def collection(folder: Path) -> dict[Path, str]:
    """The files of the Ansible collection, each with our mark."""
    source = TEXTS.parent / "fleet" / "ansible"
    place = folder / "diagnose" / "docker_host"
    files = sorted(
        path for path in source.rglob("*") if path.suffix in (".yml", ".py", ".sh", ".md")
    )
    return {place / path.relative_to(source): _text_with_mark(path) for path in files}


def _text_with_mark(path: Path) -> str:
    """The text of a file. The launcher has the mark within: an archive follows its last line."""
    text = path.read_text()
    mark = f"<!-- W{MARK}. -->" if path.suffix == ".md" else f"# W{MARK}."
    return text if MARK in text else f"{text}{mark}\n"


def completions(places: SetupPlaces, group: click.Group) -> dict[Path, str]:
    """The scripts by which the shells ask the tool for words."""
    files: dict[Path, type[ShellComplete]] = {
        places.bash / "diagnose": BashComplete,
        places.zsh / "_diagnose": ZshComplete,
        places.fish / "diagnose.fish": FishComplete,
    }
    return {
        path: _completion(kind(group, {}, "diagnose", "_DIAGNOSE_COMPLETE"))
        for path, kind in files.items()
    }


def _completion(shell: ShellComplete) -> str:
    head, _, rest = (shell.source_template % shell.source_vars()).lstrip("\n").partition("\n")
    # zsh reads the first line, so that the mark of ours stands below it
    return f"{head}\n# W{MARK}.\n{rest}\n"


def _filled_template(name: str, program: Path) -> str:
    text = (TEXTS / name).read_text()
    return text.replace("@VERSION@", __version__).replace("@PROGRAM@", shlex.quote(str(program)))


def _our_text(path: Path) -> str | None:
    """The text of a file that is ours, None for no file and for a file of another."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        return None
    return text if MARK in text else None


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text)
        partial.chmod(mode)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SetupError(f"cannot write {path}: {error.strerror}") from None


def _configuration(path: Path) -> dict[str, Any]:
    """The docker command's own configuration. SetupError where it is not a JSON object."""
    try:
        config = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} cannot be read, and was left alone: {error}") from None
    if not isinstance(config, dict):
        raise SetupError(f"{path} is not a JSON object, and was left alone")
    return config


def _section(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = config.get(name)
    return section if isinstance(section, dict) else {}


def _mode(path: Path) -> int:
    """A new configuration is the user's alone: docker keeps logins in it."""
    return path.stat().st_mode & 0o777 if path.exists() else 0o600
