"""The Docker engines that a box can run: the distribution's own, and newer ones unpacked beside it.

An engine is a directory of binaries (dockerd, containerd, shim, docker-proxy, docker-init, docker)
put first in PATH. The suites' packages are downloaded with a private apt configuration and unpacked
with `dpkg -x`: nothing is installed, and the machine's own runc and iptables serve them all (seen
to work: runc 1.1.5 under engine 28.5.2). `python -m tests.lab` fetches what is missing and prints
what there is.
"""

from __future__ import annotations

import fcntl
import functools
import glob
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUITES = ("trixie", "sid")
_PACKAGES = ("docker.io", "containerd", "docker-cli")
_BINARIES = {
    "dockerd": "usr/sbin",
    "docker-proxy": "usr/sbin",
    "containerd": "usr/bin",
    "containerd-shim-runc-v2": "usr/bin",
    "docker": "usr/bin",
}
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"


@dataclass(frozen=True)
class Engine:
    """One engine that can be started. `name` is its major.minor version, `bin` a directory for PATH
    or None."""

    name: str
    version: str
    suite: str
    bin: Path | None

    @property
    def path(self) -> str:
        """The PATH that finds this engine's binaries first."""
        return f"{self.bin}:{_SYSTEM_PATH}" if self.bin else _SYSTEM_PATH

    @property
    def major(self) -> int:
        """20, 26, 28: what a fault compares to say which engines can have it."""
        return int(self.version.split(".")[0])

    def __str__(self) -> str:
        return f"{self.name} ({self.suite} {self.version})"


@dataclass(frozen=True)
class Missing:
    """An engine that cannot be had on this machine, and why."""

    suite: str
    why: str

    def __str__(self) -> str:
        return f"{self.suite}: {self.why}"


def cache_dir() -> Path:
    """Where downloaded engines are kept between runs: $DIAGNOSE_LAB_CACHE or
    /var/cache/diagnose-lab."""
    return Path(os.environ.get("DIAGNOSE_LAB_CACHE", "/var/cache/diagnose-lab"))


@functools.cache
def discover() -> tuple[tuple[Engine, ...], tuple[Missing, ...]]:
    """All engines that can be had (oldest first, one per version) and those that cannot, fetching
    what is not cached.

    $DIAGNOSE_LAB_ENGINES (comma-separated suites, `distro` included) narrows the search; what it
    leaves out is Missing. $DIAGNOSE_LAB_BINARIES names folders with the binaries of engines that no
    suite has, comma-separated.
    """
    wanted = os.environ.get("DIAGNOSE_LAB_ENGINES", ",".join(("distro", *SUITES))).split(",")
    folders = tuple(filter(None, os.environ.get("DIAGNOSE_LAB_BINARIES", "").split(",")))
    found: dict[str, Engine] = {}
    missing: list[Missing] = []
    for suite in ("distro", *SUITES, *folders):
        if suite not in (*wanted, *folders):
            missing.append(Missing(suite, "left out by DIAGNOSE_LAB_ENGINES"))
            continue
        got = _in_folder(Path(suite)) if suite in folders else _of_suite(suite)
        if isinstance(got, Missing):
            missing.append(got)
        elif got.name in found:
            missing.append(
                Missing(suite, f"is engine {got.name}, the same as {found[got.name].suite}")
            )
        else:
            found[got.name] = got
    ordered = sorted(found.values(), key=lambda e: tuple(int(n) for n in e.name.split(".")))
    return tuple(ordered), tuple(missing)


def find(wanted: str) -> Engine:
    """The engine of that version ("28.5") or suite ("distro", "sid"); LookupError if there is
    none."""
    engines, missing = discover()
    for engine in engines:
        if wanted in (engine.name, engine.suite):
            return engine
    have = ", ".join(map(str, engines)) or "none"
    raise LookupError(
        f"no engine {wanted}; there is: {have}; missing: {'; '.join(map(str, missing)) or 'none'}"
    )


def _of_suite(suite: str) -> Engine | Missing:
    return _distro() if suite == "distro" else _suite(suite)


def _in_folder(folder: Path) -> Engine | Missing:
    version = _version_of(folder / "dockerd")
    if version:
        return _engine(version, str(folder), folder)
    return Missing(str(folder), "its dockerd does not run here")


def _distro() -> Engine | Missing:
    dockerd = shutil.which("dockerd", path=_SYSTEM_PATH)
    if dockerd is None:
        return Missing("distro", "no dockerd is installed (package docker.io)")
    version = _version_of(Path(dockerd))
    if version:
        return _engine(version, "distro", None)
    return Missing("distro", f"{dockerd} --version says nothing")


def _suite(suite: str) -> Engine | Missing:
    root = cache_dir() / suite
    try:
        with _locked(cache_dir() / f"{suite}.lock"):
            if not (root / "bin" / "dockerd").exists():
                _fetch(suite, root)
    except (OSError, subprocess.SubprocessError, LookupError) as error:
        detail = getattr(error, "stderr", None) or str(error)
        last = detail.strip().splitlines()[-1:] or ["no reason given"]
        return Missing(suite, f"could not be fetched: {last[0]}")
    version = _version_of(root / "bin" / "dockerd")
    if version:
        return _engine(version, suite, root / "bin")
    return Missing(suite, "its dockerd does not run here")


def _engine(version: str, suite: str, bin_dir: Path | None) -> Engine:
    return Engine(".".join(version.split(".")[:2]), version, suite, bin_dir)


def _version_of(dockerd: Path) -> str | None:
    try:
        done = subprocess.run(
            [dockerd, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"version (\d+\.\d+\.\d+)", done.stdout)
    return match[1] if match else None


@functools.cache
def cli_plugin(name: str) -> Path | Missing:
    """A plugin of the docker client from sid, such as docker-compose, which runs with each engine's
    client."""
    root = cache_dir() / name.removeprefix("docker-")
    plugin = root / "tree" / "usr/libexec/docker/cli-plugins" / name
    try:
        with _locked(cache_dir() / f"{root.name}.lock"):
            if not plugin.exists():
                shutil.rmtree(root, ignore_errors=True)
                work = root.with_suffix(".new")
                unpack("sid", [name], work)
                work.rename(root)
    except (OSError, subprocess.SubprocessError, LookupError) as error:
        return Missing(name, f"could not be fetched: {getattr(error, 'stderr', '') or error}")
    return plugin if plugin.exists() else Missing(name, "its package has no plugin")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(suite: str, root: Path) -> None:
    """Download and unpack one suite's engine into root, which appears whole or not at all."""
    work = root.with_suffix(".new")
    shutil.rmtree(root, ignore_errors=True)
    tree = unpack(suite, _PACKAGES, work)
    (work / "bin").mkdir()
    for name, folder in _BINARIES.items():
        if not (tree / folder / name).exists():
            raise LookupError(f"{suite}'s packages hold no {folder}/{name}")
        if name != "docker" or _runs(tree / folder / name):
            (work / "bin" / name).symlink_to(f"../tree/{folder}/{name}")
    work.rename(root)


def unpack(suite: str, packages: Sequence[str], work: Path) -> Path:
    """Download packages of a suite, and unpack them below `work`; returns the tree."""
    uri = mirror()
    shutil.rmtree(work, ignore_errors=True)
    apt, debs, tree = work / "apt", work / "debs", work / "tree"
    for folder in ("lists/partial", "cache/archives/partial", "src", "prefs", "dpkg"):
        (apt / folder).mkdir(parents=True)
    debs.mkdir()
    tree.mkdir()
    (apt / "dpkg" / "status").touch()
    (apt / "src" / "lab.sources").write_text(
        f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )
    (apt / "apt.conf").write_text(
        f'Dir::State "{apt}"; Dir::State::Lists "{apt}/lists"; Dir::State::status "{apt}/dpkg/status";\n'
        f'Dir::Cache "{apt}/cache"; Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "{apt}/src";\n'
        f'Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "{apt}/prefs";\n'
        'Acquire::Languages "none"; APT::Sandbox::User "root"; Acquire::Retries "2";\n'
    )
    env = {**os.environ, "APT_CONFIG": str(apt / "apt.conf"), "LC_ALL": "C"}
    _command(["apt-get", "-qq", "update"], env=env, cwd=debs)
    _command(["apt-get", "-qq", "download", *packages], env=env, cwd=debs)
    for deb in sorted(debs.glob("*.deb")):
        _command(["dpkg", "-x", str(deb), str(tree)], env=env, cwd=work)
    shutil.rmtree(debs)
    shutil.rmtree(apt)
    return tree


def _runs(program: Path) -> bool:
    return subprocess.run([program, "--version"], capture_output=True, timeout=20).returncode == 0


def mirror() -> str:
    """The Debian mirror that this machine already uses."""
    files = [*glob.glob("/etc/apt/sources.list.d/*"), "/etc/apt/sources.list"]
    for name in sorted(files, key=lambda n: "debian" not in n):
        try:
            text = Path(name).read_text()
        except OSError:
            continue
        match = re.search(
            r"^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(\S+/debian)/?(?=\s)", text, re.MULTILINE
        )
        if match:
            return match[1]
    raise LookupError("no Debian mirror is configured on this machine")


def _command(argv: list[str], env: dict[str, str], cwd: Path) -> None:
    subprocess.run(argv, env=env, cwd=cwd, check=True, capture_output=True, text=True, timeout=300)
