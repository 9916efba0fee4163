"""Real servers of Debian as images: the program with the libraries that it is linked with, over
busybox.

The packages are downloaded once beside the engines, and unpacked with `dpkg -x`: nothing is
installed on the machine.
"""

from __future__ import annotations

import fcntl
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .engines import Missing, cache_dir, cli_plugin
from .images import GROUP, PASSWD, Recipe, load

if TYPE_CHECKING:
    from .box import Box

_PACKAGES = {
    "redis-server": "usr/bin/redis-server",
    "nginx": "usr/sbin/nginx",
    "mariadb-server-core": "usr/sbin/mariadbd",
}
"""Package -> the program in it."""
_ALONE = {"caddy": "usr/bin/caddy"}
"""Those that few scenarios need, each in a download of its own."""
_BESIDE = {"redis-server": ("usr/bin/redis-cli",)}
"""Further programs that a package's image has, which need no other libraries."""
_LINKED = re.compile(r"(?:=> )?(/\S+) \(0x")
_FOLDERS = {"nginx": ("var/log/nginx", "var/lib/nginx", "etc/nginx/conf.d")}
_DATA = {"mariadb-server-core": ("usr/share/mysql", "usr/share/mariadb")}
"""Folders of data files that a program reads at its start."""


class UnfetchedError(LookupError):
    """The packages cannot be downloaded here."""


def load_server(box: Box, package: str, image: str, *changes: str) -> str:
    """Import the image of a real server, of `redis-server`, `nginx`, `mariadb-server-core` or
    `caddy`; returns the path of its program."""
    recipe = _recipe(package)
    load(box, image, Recipe(files=dict(recipe), changes=changes))
    return f"/{_program(package)}"


def _program(package: str) -> str:
    return _ALONE.get(package) or _PACKAGES[package]


def install_server(box: Box, package: str) -> None:
    """Put a real server on the host itself, at its usual path, with the libraries it lacks."""
    for path, (content, mode) in _recipe(package):
        if path == _PACKAGES[package] or not os.path.exists(f"/{path}"):
            box.sh(f"mkdir -p $(dirname /{path})")
            box.write(f"/{path}", content, mode)


def install_compose(box: Box) -> None:
    """Give the docker client of a box its compose plugin; UnfetchedError where there is none."""
    _install_plugin(box, "docker-compose")


def install_buildx(box: Box) -> None:
    """Give the docker client of a box its plugin for builds; UnfetchedError where there is none.

    Without it the client uses the classic builder.
    """
    _install_plugin(box, "docker-buildx")


def _install_plugin(box: Box, name: str) -> None:
    plugin = cli_plugin(name)
    if isinstance(plugin, Missing):
        raise UnfetchedError(str(plugin))
    box.write(f"/usr/libexec/docker/cli-plugins/{name}", plugin.read_bytes(), 0o755)


@functools.cache
def _recipe(package: str) -> tuple[tuple[str, tuple[bytes, int]], ...]:
    tree = _tree(package) if package in _ALONE else _tree()
    program = tree / _program(package)
    files = {_program(package): (program.read_bytes(), 0o755)}
    for path in _BESIDE.get(package, ()):
        files[path] = ((tree / path).read_bytes(), 0o755)
    for library in _libraries(program, tree):
        inside = (
            library.relative_to(tree) if library.is_relative_to(tree) else library.relative_to("/")
        )
        files[str(inside)] = (library.read_bytes(), 0o755)
    for folder in _DATA.get(package, ()):
        files |= {
            str(path.relative_to(tree)): (path.read_bytes(), 0o644)
            for path in (tree / folder).rglob("*")
            if path.is_file()
        }
    files |= {f"{folder}/.keep": (b"", 0o644) for folder in _FOLDERS.get(package, ())}
    files["etc/passwd"] = (
        PASSWD + b"nobody:x:65534:65534::/:/bin/false\nwww-data:x:33:33::/:/bin/false\n",
        0o644,
    )
    files["etc/group"] = (GROUP + b"nogroup:x:65534:\nwww-data:x:33:\n", 0o644)
    return tuple(files.items())


def _libraries(program: Path, tree: Path) -> list[Path]:
    """The libraries of a program and its loader, under the names by which they are looked for."""
    paths = ":".join(
        str(tree / folder) for folder in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
    )
    done = subprocess.run(
        ["ldd", program],
        env={**os.environ, "LD_LIBRARY_PATH": paths},
        capture_output=True,
        text=True,
        check=False,  # it fails for a program that is linked with none
    )
    return [Path(match[1]) for match in _LINKED.finditer(done.stdout)]


@functools.cache
def _tree(alone: str = "") -> Path:
    """The folder in which the packages are unpacked; it appears whole or not at all.

    alone: the package that it is for, beside the folder of those that many scenarios need.
    """
    root = cache_dir() / (f"server-{alone}" if alone else "servers")
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / "servers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            _fetch(root, [alone] if alone else list(_PACKAGES))
    return root


def _fetch(root: Path, packages: Sequence[str]) -> None:
    work = root.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    (work / "debs" / "partial").mkdir(parents=True)
    (work / "tree").mkdir()
    options = [
        "-o", f"Dir::Cache::archives={work}/debs", "-o", "APT::Sandbox::User=root",
        "--no-install-recommends",
    ]  # fmt: skip
    try:
        download = [
            "apt-get", "-qq", "-y", "install", "--reinstall", "--download-only", *options,
            *packages,
        ]  # fmt: skip
        subprocess.run(download, check=True, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        raise UnfetchedError(
            f"real servers could not be downloaded: {getattr(error, 'stderr', None) or error}"
        ) from error
    for package in (work / "debs").glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, work / "tree"], check=True, timeout=60)
    (work / "tree").rename(root)
    shutil.rmtree(work)
