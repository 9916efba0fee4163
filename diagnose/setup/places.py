"""The places to which the parts of `diagnose setup` go."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diagnose.reach.itself import launcher


@dataclass(frozen=True)
class SetupPlaces:
    """Folders, for all users of the host or for one."""

    plugins: Path
    data: Path
    docker_config: Path
    """The file of the user's docker client."""
    collections: Path
    """Where Ansible looks for collections."""
    units: Path | None
    """None where a user has no say over the host's services."""
    fish: Path
    """Completions of fish. Without XDG_DATA_DIRS it does not look below /usr/local/share."""

    @property
    def bash(self) -> Path:
        """Completions of bash, one file for each program."""
        return self.data / "bash-completion" / "completions"

    @property
    def zsh(self) -> Path:
        """Completions of zsh; a user's own folder must be in `fpath`."""
        return self.data / "zsh" / "site-functions"

    @property
    def man(self) -> Path:
        """Pages of section 1."""
        return self.data / "man" / "man1"


def of_host(environ: Mapping[str, str], root: Path = Path("/")) -> SetupPlaces:
    """The places for all users, where a package manager puts nothing.

    root: another root, for tests.
    """
    return SetupPlaces(
        plugins=root / "usr/local/lib/docker/cli-plugins",
        data=root / "usr/local/share",
        docker_config=_docker_config(environ),
        collections=root / "usr/share/ansible/collections/ansible_collections",
        units=root / "etc/systemd/system",
        fish=root / "etc/fish/completions",
    )


def of_package(environ: Mapping[str, str], root: Path) -> SetupPlaces:
    """The places that a package manager owns.

    Below the folder in which a package is put together.
    """
    return SetupPlaces(
        plugins=root / "usr/libexec/docker/cli-plugins",
        data=root / "usr/share",
        docker_config=_docker_config(environ),
        collections=root / "usr/share/ansible/collections/ansible_collections",
        units=root / "usr/lib/systemd/system",
        fish=root / "usr/share/fish/vendor_completions.d",
    )


def of_user(environ: Mapping[str, str]) -> SetupPlaces:
    """The places of the user who runs the tool."""
    home = Path(environ.get("HOME") or Path.home())
    config = _docker_config(environ)
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share")
    collections = home / ".ansible/collections/ansible_collections"
    return SetupPlaces(
        plugins=config.parent / "cli-plugins",
        data=data,
        docker_config=config,
        collections=collections,
        units=None,
        fish=Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "fish/completions",
    )


def _docker_config(environ: Mapping[str, str]) -> Path:
    folder = environ.get("DOCKER_CONFIG") or str(
        Path(environ.get("HOME") or Path.home(), ".docker")
    )
    return Path(folder, "config.json")


def program() -> Path:
    """The absolute path by which this tool is started.

    The launcher of its folder, or the script of its environment.
    """
    of_folder = launcher()
    if of_folder is not None:
        return of_folder
    started = Path(sys.argv[0]).absolute()
    if started.name == "diagnose" and os.access(started, os.X_OK):
        return started
    return Path(sys.prefix, "bin", "diagnose")
