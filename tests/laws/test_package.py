"""What a user installs: the wheel in an environment of its own, the lock files, the licences."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import struct
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import licences

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HASHED = re.compile(r"^[a-z0-9][^ ]*==\S+.* \\\n    --hash=sha256:[0-9a-f]{64}", re.MULTILINE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and what it requires, as far as the
    lock file goes, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "env", symlinks=True)
    (site,) = folder.glob("env/lib/python*/site-packages")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for package in ("checks", "diagnose"):
        compiled_already(ROOT / package, site / package)
    for name in set(licences.locked()) - licences.BUILD_ONLY:
        package = distribution(name)
        for top in {file.parts[0] for file in package.files or [] if file.parts[0] != ".."}:
            (site / top).symlink_to(Path(str(package.locate_file(top))))
    return folder / "env" / "bin" / "python"


def compiled_already(ours: Path, installed: Path) -> None:
    """What is the same to the byte need not be compiled again: that takes two seconds."""
    for copy in installed.rglob("*.py"):
        source = ours / copy.relative_to(installed)
        compiled = Path(importlib.util.cache_from_source(str(source)))
        if compiled.is_file() and _is_current(compiled, source) and same(copy, source):
            stat = source.stat()
            os.utime(copy, (stat.st_atime, int(stat.st_mtime)))
            target = Path(importlib.util.cache_from_source(str(copy)))
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(compiled, target)


def same(copy: Path, source: Path) -> bool:
    return source.is_file() and copy.read_bytes() == source.read_bytes()


def _is_current(compiled: Path, source: Path) -> bool:
    """Whether a compiled file names the time and the size that its source has (PEP 552)."""
    stat = source.stat()
    made_of = struct.pack("<III", 0, int(stat.st_mtime) & 0xFFFFFFFF, stat.st_size & 0xFFFFFFFF)
    return compiled.read_bytes()[4:16] == made_of


COMMANDS = {
    "a recorded host": (["all", "--from", "demo"], 2, "CRITICAL dockerhost"),
    "JSON": (
        ["check", "container", "--from", "demo", "--format", "json"],
        2,
        '"schema_version": 1',
    ),
    "a page": (["explain", "container.oom-killed"], 0, "container.oom-killed"),
    "the checks": (["list"], 0, "container.oom-killed"),
    "no such endpoint": (["check", "daemon", "-H", "unix:///nowhere.sock"], 3, "nowhere.sock"),
}


@pytest.mark.parametrize(("arguments", "code", "text"), COMMANDS.values(), ids=COMMANDS)
def test_the_wheel_runs_with_nothing_but_what_it_requires(
    installed: Path, tmp_path: Path, arguments: list[str], code: int, text: str
) -> None:
    command = [str(installed), "-I", "-m", "diagnose", *arguments]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, text in done.stdout + done.stderr) == (code, True), (
        done.stdout + done.stderr
    )


def test_the_wheel_holds_no_tests_and_no_development_dependencies(installed: Path) -> None:
    script = "import importlib.util as u; print([n for n in ('tests', 'pytest', 'hypothesis', 'mypy') if u.find_spec(n)])"
    done = subprocess.run(
        [str(installed), "-I", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


LOCKS = {
    "run": (licences.LOCK, PROJECT["dependencies"]),
    "test": (
        licences.TEST_LOCK,
        PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"],
    ),
}


@pytest.mark.parametrize(("path", "required"), LOCKS.values(), ids=LOCKS)
def test_lock_file_is_consistent_with_the_requirements(path: Path, required: list[str]) -> None:
    pinned = licences.locked(path)
    assert len(HASHED.findall(path.read_text())) == len(pinned)
    for text in required:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not locked: run .ci/lock"
        assert requirement.specifier.contains(version), (
            f"{text}, but {version} is locked: run .ci/lock"
        )


def test_both_lock_files_have_the_same_versions() -> None:
    run, test = licences.locked(), licences.locked(licences.TEST_LOCK)
    assert run
    assert {name: test.get(name) for name in run} == run


def test_every_package_has_a_listed_licence() -> None:
    listed = dict(
        re.findall(r"^\| ([a-z0-9._-]+) \| ([^|]+?) \|", licences.LIST.read_text(), re.MULTILINE)
    )
    del listed["package"]  # the head of the table
    assert set(listed) == set(licences.locked()) - licences.BUILD_ONLY, "run .ci/lock"
    assert all(listed.values())


def test_readme_says_what_each_requirement_is_for() -> None:
    rows = re.findall(
        r"^\| ([\w, -]+) \| [^|]+ \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    named = {canonicalize_name(name.strip()) for row in rows for name in row.split(",")}
    assert {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]} <= named
