"""Bundles of real hosts: the same findings, no secret in their bytes, small, quick, and without a
byte of disk."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.lab.box import PROJECT, Box, Run
from tests.lab.engines import Engine
from tests.lab.faults import discover
from tests.lab.runner import healthy_container, start
from tests.ticket.anonymized_shop import restored
from tests.ticket.test_anonymized_findings import essence
from tests.ticket.test_secrets import forms, stands_in
from tests.tickets import unpacked

pytestmark = pytest.mark.timeout(600)
TOOL = [sys.executable, "-m", "diagnose"]


def tool(
    box: Box, *args: str, user: str | None = None, under: Sequence[str] = ()
) -> subprocess.CompletedProcess[bytes]:
    """The tool in the box, its output as bytes. under: a command that runs it."""
    argv = box._argv([*under, *TOOL, *args], user, (), str(PROJECT))
    return subprocess.run(
        argv, env=box._env(None, user), capture_output=True, timeout=120, stdin=subprocess.DEVNULL
    )


def streamed(box: Box, *args: str, **options: Any) -> bytes:
    """The bundle that the tool streams to stdout."""
    done = tool(box, "bundle", "-o", "-", *args, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def judged(source: Path) -> dict[str, Any]:
    """The report of the bundle or folder, made on another host than the one it came from."""
    done = subprocess.run(
        [*TOOL, "all", "--from", str(source), "--format", "json"],
        cwd=PROJECT,
        capture_output=True,
        timeout=120,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def unfolded(data: bytes, folder: Path) -> Path:
    for name, content in unpacked(data).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


HOSTS = (
    "broken_host.fifteen_faults", "broken_host.control_host", "daemon.killed",
    "firewall.docker_user_for_one_source", "network.route_into_a_subnet",
    "network.bridge_switched_off",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTS)
def test_findings_of_host_bundle_folder_and_anonymised_bundle_are_equal(
    name: str, engine: Engine, tmp_path: Path
) -> None:
    scenario = discover()[name]
    if engine not in scenario.engines:
        pytest.skip(f"{name} is not for engine {engine.name}")
    with Box(engine, **scenario.box) as box:
        start(box, scenario)
        scenario.inject(box)
        live = tool(box, "all", "--format", "json")
        plain = streamed(box)
        hidden = streamed(box, "--anonymize", "--map", "/run/names.json")
        renamed_as = json.loads(box.read("/run/names.json"))
    for file, data in (("plain", plain), ("hidden", hidden)):
        (tmp_path / f"{file}.tar.gz").write_bytes(data)
    report = json.loads(unpacked(plain)["report.json"])
    assert keys(report) == keys(json.loads(live.stdout)), "the bundle's report and the host's"
    assert essence(judged(tmp_path / "plain.tar.gz")) == essence(report)
    assert essence(judged(unfolded(plain, tmp_path / "folder"))) == essence(report)
    renamed = json.loads(unpacked(hidden)["report.json"])
    assert json.loads(unpacked(hidden)["manifest.json"])["anonymized"] == {
        "checks_that_say_something_else": []
    }
    assert essence(judged(tmp_path / "hidden.tar.gz")) == essence(renamed)
    assert keys(restored(renamed_as["names"], renamed_as["addresses"], renamed)) == keys(report)
    assert box.hostname.encode() not in b"".join(unpacked(hidden).values())
    print(
        f"\n{name} on {engine.name}: {len(report['findings'])} findings, {len(plain)} and {len(hidden)} bytes"
    )


def keys(report: dict[str, Any]) -> set[tuple[str, str]]:
    """What was found; a cause that is only likely may differ between two runs, so its text is not
    compared."""
    return {(finding["key"], finding["severity"]) for finding in report["findings"]}


def s(number: int) -> str:
    """A made-up secret that no other text holds."""
    return f"Zq{number:02}xV7-made-up-{number * 7919 % 99991:05}"


DAEMON = {
    "log-driver": "json-file",
    "log-opts": {"max-size": "10m", "max-file": "3"},
    "proxies": {"http-proxy": f"http://svc:{s(1)}@proxy.lab.test:3128"},
}
LOOKALIKES = (
    "POSTGRES_PASSWORD_FILE=/run/secrets/db_password", "TOKEN_TTL=3600", "MAX_TOKENS=512",
    "SECRET_KEY_PATH=/etc/app/key.pem", "PUBLIC_KEY_ID=4f9a21",
    "SSH_AUTH_SOCK=/tmp/ssh-agent.sock",
)  # fmt: skip


def test_a_real_engines_secrets_are_in_no_byte_of_the_bundle(
    engine: Engine, say: Callable[[str], None]
) -> None:
    config = {key: value for key, value in DAEMON.items() if key != "proxies" or engine.major >= 23}
    hidden = [s(number) for number in range(1 if "proxies" in config else 2, 20)]
    with Box(engine) as box:
        box.start_engine(config=config)
        options = [
            *(
                "-e",
                f"DB_PASSWORD={s(2)}",
                "-e",
                f"DATABASE_URL=postgres://shop:{s(3)}@db:5432/shop",
            ),
            *(
                "-e",
                f"AWS_SECRET_ACCESS_KEY={s(4)}",
                "-e",
                "AWS_ACCESS_KEY_ID=AKIA" + "Q7ZX2M4N8P1R5T6V",
            ),
            *(word for lookalike in LOOKALIKES for word in ("-e", lookalike)),
            *(
                "--label",
                f"com.example.api-token={s(5)}",
                "--label",
                f"traefik.http.middlewares.auth.password={s(6)}",
            ),
            f"--health-cmd=redis-cli -a {s(7)} ping",
            *("--log-opt", "max-size=10m", "--log-opt", "labels=tier"),
        ]
        script = f"echo login with password={s(8)}; echo 'Authorization: Bearer {s(9)}' >&2; exit 3"
        box.docker("run", "--name=full", *options, "bb:1.36", "sh", "-c", script, check=False)
        box.docker(
            "create", "--name=args", "bb:1.36", "mysqld", f"--password={s(10)}", "--api-key", s(11)
        )
        box.docker(
            "create", "--name=entry", "--entrypoint", "/bin/app", "bb:1.36", f"--token={s(12)}"
        )
        box.docker("run", "-d", "--name=running", "-e", f"SMTP_PASS={s(13)}", "bb:1.36", "sh", "-c",
                   f"exec env API_SECRET={s(14)} sleep 1000")  # fmt: skip
        box.docker(
            "volume", "create", "--opt=type=cifs", "--opt=device=//192.0.2.80/x",
            f"--opt=o=addr=192.0.2.80,username=u,password={s(15)}", "nas",
        )  # fmt: skip
        dockerfile = f"FROM bb:1.36\nARG NPM_TOKEN\nENV GITLAB_TOKEN={s(17)}\nRUN echo built\n"
        box.docker("build", "-q", "-t", "argued:1", f"--build-arg=NPM_TOKEN={s(16)}", "-", stdin=dockerfile,
                   env={"DOCKER_BUILDKIT": "0"})  # fmt: skip
        box.docker(
            "run", "--name=failed", "argued:1", "sh", "-c", "echo $GITLAB_TOKEN; exit 4",
            check=False,
        )  # fmt: skip
        box.docker(
            "run", "-d", "--name=missing", "bb:1.36", f"/app-{s(18)[:2]}", f"PASSWORD={s(18)}",
            check=False,
        )  # fmt: skip
        box.docker("pull", f"http://u:{s(19)}@192.0.2.80/x", check=False)
        data = streamed(box)
    files = unpacked(data)
    leaked = {secret: found for secret in hidden if (found := stands_in(files, forms(secret)))}
    kept = [lookalike for lookalike in LOOKALIKES if stands_in(files, forms(lookalike))]
    redacted = json.loads(files["manifest.json"])["redacted"]
    say(
        f"bundle of a real engine {engine.name}: recall {100 - 100 * len(leaked) / len(hidden):.0f} % of {len(hidden)} "
        f"secrets, precision {100 * len(kept) / len(LOOKALIKES):.0f} % of {len(LOOKALIKES)} look-alikes; {redacted}"
    )
    assert not leaked
    assert len(kept) == len(LOOKALIKES)
    assert b"AKIAQ7ZX2M4N8P1R5T6V" not in b"".join(files.values())
    assert sum(redacted.values()) >= 15


def timed(box: Box, *args: str) -> tuple[Run, float]:
    """A run of the tool and the processor's time that it took in seconds: the machine may be busy
    with other boxes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = box.diagnose(*args)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_three_hundred_containers(engine: Engine, say: Callable[[str], None]) -> None:
    """3 s over the run are asserted of the processor's time, and printed of the clock's."""
    with Box(engine) as box:
        box.start_engine(config=DAEMON if engine.major >= 23 else {})
        box.image("bb:1.36")
        for number in range(300):
            env = [f"DB_PASSWORD={s(number)}", "PATH=/bin", "LANG=C.UTF-8", f"SHARD={number}"]
            labels = {
                "com.docker.compose.project": "shop",
                "com.docker.compose.service": f"worker{number % 20}",
            }
            box.api(
                f"/containers/create?name=shop-worker-{number}",
                method="POST",
                body={"Image": "bb:1.36", "Cmd": ["sleep", "1000"], "Env": env, "Labels": labels},
            )
        runs = [timed(box, "all", "--format", "json") for _ in range(3)]
        bundles = [timed(box, "bundle", "-o", f"/tmp/{number}.tar.gz") for number in range(3)]
        sizes = [box.path(f"/tmp/{number}.tar.gz").stat().st_size for number in range(3)]
        renamed, renamed_cpu = timed(box, "bundle", "--anonymize", "-o", "/tmp/a.tar.gz")
    assert [run.code for run in (*(run for run, _ in bundles), renamed)] == [0] * 4, renamed.err
    clock = min(run.wall for run, _ in bundles) - min(run.wall for run, _ in runs)
    cpu = min(cpu for _, cpu in bundles) - min(cpu for _, cpu in runs)
    peak = max(run.peak_rss for run, _ in bundles)
    say(
        f"300 containers on {engine.name}: run {min(run.wall for run, _ in runs):.2f} s, bundle {clock:+.2f} s "
        f"({cpu:+.2f} s of the processor), anonymised {renamed_cpu:.2f} s of the processor in all and "
        f"{renamed.peak_rss / 2**20:.0f} MiB, {max(sizes) / 1e3:.0f} kB, peak memory {peak / 2**20:.0f} MiB"
    )
    assert max(sizes) < 10_000_000
    assert cpu < 3
    assert peak < 200 * 2**20


def fill(box: Box, folders: Sequence[str]) -> None:
    """Leave these file systems without a byte, whatever their size."""
    for folder in folders:
        box.sh(
            f"used=$(df -k --output=used {folder} | tail -1); kind=$(stat -f -c %T {folder}); "
            f"[ $kind != tmpfs ] || mount -o remount,size=$((used + 64))k {folder}; "
            f"dd if=/dev/zero of={folder}/fill bs=4k 2>/dev/null || true; dd if=/dev/zero of={folder}/fill2 bs=1 2>/dev/null || true"
        )


def test_every_disk_is_full(engine: Engine) -> None:
    """The box's root cannot be filled, so the tool is also kept from writing a byte to any file at
    all."""
    with Box(engine, disk="64M") as box:
        box.start_engine(config=DAEMON if engine.major >= 23 else {})
        healthy_container(box, "web", 8080)
        box.sh("mount -t tmpfs x /var/tmp")
        full = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/var/lib/docker"]
        fill(box, full)
        for folder in full:
            assert box.run(["sh", "-c", f"echo x >{folder}/probe"], check=False).returncode != 0, (
                folder
            )
        data = streamed(box, under=["prlimit", "--fsize=0"])
        done = tool(box, "bundle", "-o", "/tmp/x.tar.gz")
        left = box.run(["ls", "-A", "/tmp"]).stdout.split()
    files = unpacked(data)
    assert re.search(rb'"id": "storage.disk-full"', files["report.json"])
    assert json.loads(files["manifest.json"])["files"]
    assert done.returncode == 3
    assert b"No space left on device; `-o -` needs no disk" in done.stderr
    assert not [name for name in left if "tar.gz" in name]


def test_nobody_gets_what_nobody_may_see(engine: Engine, tmp_path: Path) -> None:
    """Without the right to ask the engine: a bundle all the same, which says what could not be had
    and why."""
    with Box(engine) as box:
        box.start_engine(config={})
        healthy_container(box, "web", 8080)
        data = streamed(box, user="nobody")
    head = json.loads(unpacked(data)["manifest.json"])
    assert any(why.startswith("forbidden") for why in head["missing"])
    (tmp_path / "x.tar.gz").write_bytes(data)
    report = judged(tmp_path / "x.tar.gz")
    verdicts = {row["id"]: row["verdict"] for row in report["checks"]}
    assert verdicts["container.oom-killed"] == "unknown"
