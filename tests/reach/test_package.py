"""deb and rpm: they install, upgrade and purge, and lintian has no errors."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from diagnose.version import __version__
from tests.lab.box import Box
from tests.lab.conftest import unfit

from . import built

PATH = f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"
pytestmark = [
    pytest.mark.folder,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("package"),
    pytest.mark.skipif(
        not os.environ.get("DIAGNOSE_LAB_LONG"),
        reason="DIAGNOSE_LAB_LONG is not set: packages are left to the nightly run",
    ),
    pytest.mark.skipif(shutil.which("nfpm", path=PATH) is None, reason="nfpm is not installed"),
]
TRACES = "find /opt /usr /etc /var/lib -xdev -path '*diagnose*' | sort"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The packages, by the end of their names."""
    return built.packages(tmp_path_factory.mktemp("packages"))


def test_deb_and_rpm_are_made(packages: dict[str, Path], say: Callable[[str], None]) -> None:
    assert set(packages) == {"deb", "rpm"}
    say(
        "packages: "
        + ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in packages.values())
    )


def test_second_build_is_equal(packages: dict[str, Path], tmp_path: Path) -> None:
    shutil.copy(built.archive(), tmp_path)
    subprocess.run(
        [sys.executable, built.ROOT / ".ci" / "package", tmp_path], capture_output=True, check=True
    )
    again = tmp_path / packages["deb"].name
    assert (
        hashlib.sha256(again.read_bytes()).digest()
        == hashlib.sha256(packages["deb"].read_bytes()).digest()
    )


@pytest.mark.skipif(shutil.which("lintian") is None, reason="lintian is not installed")
def test_lintian_has_no_errors(packages: dict[str, Path]) -> None:
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error", packages["deb"]],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture
def box() -> Iterator[Box]:
    if unfit():
        pytest.skip(str(unfit()))
    with Box("distro", provider=False) as box:
        yield box


def test_deb_installs_upgrades_and_purges_without_a_trace(
    packages: dict[str, Path], box: Box, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    subprocess.run(["dpkg-deb", "-R", packages["deb"], older], check=True)
    control = older / "DEBIAN" / "control"
    control.write_text(control.read_text().replace(f"Version: {__version__}-1", "Version: 0.0.1-1"))
    (older / "opt" / "diagnose" / "gone-in-the-next").write_text("x")
    subprocess.run(
        ["dpkg-deb", "-Znone", "-b", older, tmp_path / "older.deb"], check=True, capture_output=True
    )
    for name, path in {"older": tmp_path / "older.deb", "newer": packages["deb"]}.items():
        box.write(f"/srv/{name}.deb", path.read_bytes())
    before = box.sh(TRACES, timeout=60)
    box.sh("dpkg -i /srv/older.deb", timeout=120)
    assert box.path("/opt/diagnose/gone-in-the-next").exists()
    box.sh("dpkg -i /srv/newer.deb", timeout=120)
    assert not box.path("/opt/diagnose/gone-in-the-next").exists()
    assert box.sh("/usr/bin/diagnose --version") == f"diagnose {__version__}\n"
    assert (
        "CRITICAL dockerhost"
        in box.run(["diagnose", "all", "--from", "demo"], check=False, timeout=60).stdout
    )
    assert box.sh("dpkg -V diagnose") == ""
    for path in (
        "/usr/share/man/man1/diagnose.1.gz",
        "/usr/lib/systemd/system/diagnose.timer",
        "/usr/libexec/docker/cli-plugins/docker-diagnose",
    ):
        assert box.path(path).is_file(), path
    assert "diagnose" in box.docker("help").stdout
    assert box.docker("diagnose", "--version").stdout == f"diagnose {__version__}\n"
    box.sh(
        "mkdir -p /var/lib/diagnose/reports && touch /var/lib/diagnose/reports/x && dpkg -r diagnose",
        timeout=60,
    )
    assert not box.path("/usr/bin/diagnose").is_symlink()
    box.sh("dpkg -P diagnose", timeout=60)
    assert box.sh(TRACES, timeout=60) == before


@pytest.mark.skipif(shutil.which("rpm") is None, reason="rpm is not installed")
def test_rpm_installs_upgrades_and_is_erased(packages: dict[str, Path], tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    for name in ("busybox", "sh"):
        shutil.copy(shutil.which("busybox") or "", root / "bin" / name)
    rpm = ["rpm", "--root", str(root), "--nodeps"]
    subprocess.run([*rpm[:3], "--initdb"], check=True)
    subprocess.run([*rpm, "-i", packages["rpm"]], check=True)
    started = subprocess.run(
        ["chroot", root, "/opt/diagnose/diagnose", "--version"], capture_output=True, text=True
    )
    assert started.stdout == f"diagnose {__version__}\n", started.stderr
    verified = subprocess.run([*rpm, "-V", "diagnose"], capture_output=True, text=True)
    assert verified.stdout == ""
    subprocess.run([*rpm, "-U", "--force", packages["rpm"]], check=True)
    subprocess.run([*rpm, "-e", "diagnose"], check=True)
    assert not list((root / "opt").rglob("*.so"))
