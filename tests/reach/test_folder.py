"""The folder: what is in it, what it says of that, and that it runs without anything of the
host's."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests import command_line, licences

from . import built

pytestmark = [pytest.mark.folder, pytest.mark.timeout(600)]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
VARYING = ("taken_at", "duration_s", "timings")
"""What differs between two runs of the same tool on the same recording."""


def run(program: Path | str, *args: str, **options: object) -> subprocess.CompletedProcess[str]:
    env = {**ENVIRONMENT, **options.pop("env", {})}  # type: ignore[dict-item]
    return subprocess.run(
        [program, *args],
        capture_output=True,
        text=True,
        env=env,
        timeout=120,
        check=False,
        **options,
    )  # type: ignore[call-overload]


def report(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """The JSON report of a run, without what varies."""
    made = json.loads(done.stdout)
    for check in made["checks"]:
        check.pop("duration_s", None)
    made["coverage"].sort(key=str)  # in the order in which the checks ended
    return {name: value for name, value in made.items() if name not in VARYING}


def test_demo_is_judged_as_by_the_installed_tool() -> None:
    of_folder = run(built.program(), "all", "--from", "demo", "--format", "json")
    installed = command_line.run(
        "all", "--from", "demo", "--format", "json", env=ENVIRONMENT, cwd=built.ROOT
    )
    assert of_folder.returncode == installed.returncode == 2, of_folder.stderr
    assert report(of_folder) == report(installed)


@pytest.mark.parametrize(
    "command",
    [["list"], ["explain", "dns.upstream-unreachable"], ["--help"], ["diff", "demo", "demo"]],
    ids=" ".join,
)
def test_each_command_finds_its_modules(command: list[str]) -> None:
    of_folder = run(built.program(), *command)
    installed = command_line.run(*command, env=ENVIRONMENT, cwd=built.ROOT)
    assert (of_folder.returncode, of_folder.stdout) == (installed.returncode, installed.stdout), (
        of_folder.stderr
    )


def test_a_host_is_asked_over_every_library(tmp_path: Path) -> None:
    """netlink in a process of its own, psutil, the engine's client over TLS: what is imported only
    where it is needed."""
    done = run(built.program(), "all", "--format", "json", "-H", "tcp://127.0.0.1:9", "--no-probe")
    assert done.returncode in (0, 1, 2, 3)
    assert "crashed" not in {check["verdict"] for check in json.loads(done.stdout)["checks"]}, (
        done.stdout
    )
    assert "ModuleNotFoundError" not in done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["absolute", "relative", "of a link"])
def test_launcher_is_started_through_a_link(tmp_path: Path, kind: str) -> None:
    link = tmp_path / "diagnose"
    target = (
        built.program() if kind == "absolute" else Path(os.path.relpath(built.program(), tmp_path))
    )
    link.symlink_to(target)
    if kind == "of a link":
        (tmp_path / "bin").mkdir()
        link = tmp_path / "bin" / "d"
        link.symlink_to("../diagnose")
    assert run(link, "--version").stdout.startswith("diagnose ")
    assert run(f"./{link.name}", "--version", cwd=link.parent).stdout.startswith("diagnose ")


def test_no_path_of_the_folder_is_in_the_environment(tmp_path: Path) -> None:
    """The environment that the tool itself has, which is the most that a program of the host could
    be given."""
    loader = built.program().parent / "lib" / "ld.so"
    # Other tests list the folder meanwhile, so the changed launcher lies outside it.
    script = tmp_path / "launcher"
    script.write_text(
        built.program()
        .read_text()
        .replace("here=$0", f"here={shlex.quote(str(built.program()))}")
        .replace("-m diagnose", "-c 'import os; print(dict(os.environ))'")
    )
    script.chmod(0o755)
    done = run(script, env={"LD_PRELOAD": "", "PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere"})
    assert done.returncode == 0, done.stderr
    assert str(loader.parent) not in done.stdout
    assert "LD_LIBRARY_PATH" not in done.stdout


def test_every_library_is_the_folder_s_own() -> None:
    folder = built.program().parent
    loader = folder / "lib" / "ld.so"
    libraries = [*folder.rglob("*.so"), folder / "bin" / "python3"]
    assert len(libraries) > 40
    for library in libraries:
        command = [loader, "--inhibit-cache", "--library-path", folder / "lib", "--list", library]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "not found" not in listed, f"{library.name}: {listed}"
        for path in re.findall(r"=> (/\S+)", listed):
            assert Path(path).resolve().is_relative_to(folder.resolve()), (
                f"{library.name} takes {path}"
            )


def test_bill_of_materials_lists_every_file_and_part() -> None:
    folder = built.program().parent
    bill = json.loads((folder / "sbom.cdx.json").read_text())
    files = {
        row["name"]: row["hashes"][0]["content"]
        for row in bill["components"]
        if row["type"] == "file"
    }
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {
        "sbom.cdx.json"
    }
    assert set(files) == there
    assert all(
        hashlib.sha256((folder / name).read_bytes()).hexdigest() == value
        for name, value in files.items()
    )
    parts = {row["name"]: row for row in bill["components"] if row["type"] == "library"}
    assert set(licences.locked()) - licences.BUILD_ONLY - {"tomlkit"} <= set(parts)
    assert {"cpython", "libc6"} <= set(parts)
    for name, part in parts.items():
        texts = [file for file in (folder / "licences" / name).iterdir() if file.stat().st_size]
        assert texts, f"{name} has no licence text"
        assert part["licenses"][0]["license"]["name"]
    assert len({row["bom-ref"] for row in bill["components"]}) == len(bill["components"])


def test_archive_holds_nothing_but_the_folder() -> None:
    with tarfile.open(built.archive()) as packed:
        entries = packed.getmembers()
    assert {entry.name.partition("/")[0] for entry in entries} == {"diagnose"}
    assert {(entry.mtime, entry.uid, entry.uname) for entry in entries} == {(315532800, 0, "")}
    assert all(entry.isfile() or entry.isdir() for entry in entries)
    assert not [entry.name for entry in entries if entry.name.endswith(".py")]
    assert {entry.mode for entry in entries if entry.isfile()} == {0o644, 0o755}


@pytest.mark.skipif(
    not os.environ.get("DIAGNOSE_LAB_LONG"),
    reason="DIAGNOSE_LAB_LONG is not set: a second build is left to the nightly run",
)
def test_second_build_is_equal_byte_by_byte(tmp_path: Path) -> None:
    again = built.build(tmp_path)
    assert (
        hashlib.sha256(again.read_bytes()).digest()
        == hashlib.sha256(built.archive().read_bytes()).digest()
    )
