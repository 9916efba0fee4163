"""A whole machine under software emulation: what a box cannot have (systemd, journald, cgroup v2,
AppArmor, resolved's stub, firewalld).

Debian trixie with its own engine (26.1.5, systemd 257) is unpacked by mmdebstrap, made into a disk
image without mounting anything, and booted once by QEMU's TCG, without a network card. A oneshot
unit runs `guest.py`, which breaks the machine in one way after the other and writes what the tool
said to a second raw disk, as lines of JSON. The file system is cached; it is rebuilt when its
packages change.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.lab.engines import cache_dir

ROOT = Path(__file__).parents[3]
SUITE = "trixie"
ENGINE = "26.1"
"""The engine of that suite, as the lab's matrix names it."""
PACKAGES = (
    "systemd,systemd-sysv,libpam-systemd,systemd-resolved,dbus,apparmor,firewalld,udev,kmod,initramfs-tools,linux-image-cloud-amd64,"
    "docker.io,docker-cli,iptables,nftables,iproute2,procps,python3,busybox-static,ca-certificates,conntrack,auditd,dnsmasq-base,e2fsprogs"
)
LIBRARIES = tuple(
    tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
)
"""What the tool needs at run time: without one of them it could ask nothing in the machine."""
DISK_MB = 3600
RESULT_MB = 96
UPLINK = {
    "systemd/network/uplink.netdev": "[NetDev]\nName=uplink\nKind=dummy\n",
    "systemd/network/uplink.network": (
        "[Match]\nName=uplink\n[Network]\nAddress=192.0.2.2/24\nAddress=192.0.2.53/24\nGateway=192.0.2.1\nDNS=192.0.2.53\n"
    ),
    "systemd/system/lab-dns.service": (
        "[Unit]\nAfter=systemd-networkd.service\nBefore=docker.service\n[Service]\n"
        "ExecStart=/usr/sbin/dnsmasq -k -C /dev/null --no-resolv --no-hosts --bind-dynamic --listen-address=192.0.2.53 "
        "--address=/#/192.0.2.80\n[Install]\nWantedBy=multi-user.target\n"
    ),
}
"""What stands for the world outside: an uplink that leads nowhere, and a resolver behind it that
knows every name. By place under /etc."""

BOOT_S = 2300
"""The longest life of the machine, in seconds: 60 s to boot, then some 40 s a scenario on two cores
that it has for itself, and twice that beside the rest of the lab."""

UNIT = """[Unit]
Description=Break this machine, and see what diagnose says
After=docker.service multi-user.target systemd-resolved.service
[Service]
Type=oneshot
Environment=PYTHONPATH=/opt/diagnose:/opt/site HOME=/root
ExecStart=/usr/bin/python3 -u /opt/diagnose/tests/lab/machine/guest.py /dev/vdb
ExecStopPost=/usr/bin/systemctl poweroff --force --force
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=multi-user.target
"""


def missing() -> str | None:
    """Why the machine cannot be had here, or None."""
    if os.geteuid() != 0:
        return "not root"
    for tool in ("qemu-system-x86_64", "mmdebstrap", "mkfs.ext4"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return None


def _run(*argv: str, timeout: float = 900, **options: Any) -> str:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        argv, capture_output=True, text=True, timeout=timeout, check=False, **options
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr[-2000:] or done.stdout[-2000:]}")
    return done.stdout


def filesystem() -> Path:
    """The unpacked system without the tool, cached under its recipe's hash; one process builds it
    at a time."""
    recipe = hashlib.sha256(f"{SUITE} {PACKAGES} {LIBRARIES} {UPLINK}".encode()).hexdigest()[:12]
    kept = cache_dir()
    kept.mkdir(parents=True, exist_ok=True)
    target = kept / f"machine-{recipe}"
    with (kept / "machine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / ".whole").exists():
            shutil.rmtree(target, ignore_errors=True)
            _unpack(target)
            (target / ".whole").touch()
    return target


def _unpack(target: Path) -> None:
    mirror = _run(
        "sh",
        "-c",
        "grep -hE '^URIs:|^deb ' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null"
        " | head -1 | sed 's/^URIs: *//;s/^deb *\\(\\[[^]]*\\] *\\)*//;s/ .*//'",
    ).strip()
    _run(
        "mmdebstrap",
        "--variant=minbase",
        f"--include={PACKAGES}",
        SUITE,
        str(target),
        mirror,
        timeout=1500,
    )
    version = _run(
        "chroot", str(target), "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"
    ).strip()
    _run(
        "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(target / "opt/site"),
        "--only-binary=:all:", "--python-version", version, "--platform", "manylinux2014_x86_64", "--platform",
        "manylinux_2_28_x86_64", "--implementation", "cp", *LIBRARIES,
    )  # fmt: skip
    (target / "etc/hostname").write_text("machine\n")
    (target / "etc/fstab").write_text("/dev/vda / ext4 rw 0 1\n")
    for unit in (
        "firewalld",
        "auditd",
        "systemd-networkd-wait-online",
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
    ):
        subprocess.run(
            ["chroot", str(target), "systemctl", "disable", unit], capture_output=True, check=False
        )
    for place, text in UPLINK.items():
        (target / "etc" / place).write_text(text)
    _run(
        "chroot", str(target), "systemctl", "enable", "systemd-networkd", "systemd-resolved",
        "lab-dns",
    )  # fmt: skip
    link = target / "etc/resolv.conf"
    link.unlink(missing_ok=True)
    link.symlink_to("../run/systemd/resolve/stub-resolv.conf")


def image(folder: Path) -> Path:
    """A bootable disk image in this folder, with the sources as they are now."""
    base = filesystem()
    disk = folder / "machine.ext4"
    _run("cp", "-a", "--reflink=auto", str(base), str(folder / "root"))
    root = folder / "root"
    for name in ("diagnose", "checks", "runbooks", "tests/lab"):
        shutil.copytree(
            ROOT / name, root / "opt/diagnose" / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    (root / "opt/diagnose/tests/__init__.py").touch()
    (root / "etc/systemd/system/diagnose-lab.service").write_text(UNIT)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "diagnose-lab.service").symlink_to("/etc/systemd/system/diagnose-lab.service")
    _run("mkfs.ext4", "-q", "-d", str(root), str(disk), f"{DISK_MB}M")
    for name in ("vmlinuz", "initrd.img"):
        found = max((root / "boot").glob(f"{name}-*"))
        shutil.copy(found, folder / name)
    shutil.rmtree(root)
    return disk


def boot(folder: Path, only: str = "") -> Iterator[dict[str, Any]]:
    """Boot the machine once and yield what each scenario wrote, and {"ended": why} if it was ended
    before it was through.

    The emulator ends with this process, or by its time. RuntimeError for a machine that wrote
    nothing.
    """
    disk = image(folder)
    results = folder / "results"
    with results.open("wb") as file:
        file.truncate(RESULT_MB * 2**20)
    console = folder / "console.txt"
    argv = [
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m",
        "3072", "-nographic",
        "-no-reboot", "-nic", "none", "-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.img"),
        "-append", f"root=/dev/vda rw console=ttyS0 systemd.show_status=0 loglevel=3 diagnose.only={only}",
        "-drive", f"file={disk},if=virtio,format=raw,cache=unsafe",
        "-drive", f"file={results},if=virtio,format=raw,cache=unsafe",
    ]  # fmt: skip
    with console.open("wb") as out:
        emulator = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            emulator.wait(timeout=BOOT_S)
        except subprocess.TimeoutExpired:
            yield {"ended": f"after {BOOT_S} s"}
        finally:
            emulator.kill()
            emulator.wait()
    text = results.read_bytes().rstrip(b"\0").decode("utf-8", "replace")
    if not text:
        raise RuntimeError(
            f"the machine wrote nothing; its console ends:\n{console.read_text(errors='replace')[-3000:]}"
        )
    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)
