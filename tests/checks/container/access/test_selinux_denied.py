"""What SELinux denied containers: the kernel log, auditd's log, and the finding."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from diagnose.evidence.containers.mounts.access.selinux_denials import (
    SelinuxDenials,
    selinux_denials,
)
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.run.options import Options
from diagnose.model import Failed
from diagnose.questions import Question
from tests.checks.container.evidence import container_in, log_of
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

NOW = 1_506_616_000.0
ENFORCING = Info(security_options=["name=selinux"])
BIND = {"Type": "bind", "Source": "/haproxy", "Destination": "/etc/haproxy", "Mode": "", "RW": True}
LEVEL = "s0:c324,c837"


def line(
    name: str = "haproxy",
    *,
    label: str = "default_t:s0",
    kind: str = "dir",
    level: str = LEVEL,
    permissive: int = 0,
    dev: str = "sda1",
) -> str:
    """A denial as the kernel writes it (prefetch.net, 2017-09-30)."""
    return (
        f"type=AVC msg=audit({NOW - 60:.3f}:120): avc:  denied  {{ write }} for  pid=8881 "
        f'comm="touch" name="{name}" dev="{dev}" ino=7 '
        f"scontext=system_u:system_r:container_t:{level} "
        f"tcontext=unconfined_u:object_r:{label} tclass={kind} permissive={permissive}"
    )


def found(
    *kernel: str,
    audit: str = "",
    info: Info = ENFORCING,
    mount: dict[str, Any] = BIND,
    status: str = "running",
    code: int = 0,
    started: float = NOW - 90,
    restarts: int = 0,
) -> SelinuxDenials:
    def reads(_: Question[Any]) -> Any:
        return {"text": audit, "size": len(audit)} if audit else Failed("missing", "")

    def stats(question: Question[Any]) -> Any:
        return {path: {"type": "folder", "ino": 99} for path in question.args["paths"]}

    records = tuple(Record(seq=0, level=5, at=NOW - 60, text=text) for text in kernel)
    haproxy = container_in(
        status,
        code=code,
        State={"StartedAt": f"{datetime.fromtimestamp(started, UTC):%Y-%m-%dT%H:%M:%SZ}"},
        RestartCount=restarts,
        Mounts=[mount],
        ProcessLabel=f"system_u:system_r:container_t:{LEVEL}",
    )
    host = Made({"file.read": reads, "file.stats": stats})
    clock = Clock(NOW, NOW - 9000)
    return selinux_denials(host, of(haproxy), info, KernelLog(records), clock, Options())


SEEN: dict[str, tuple[SelinuxDenials, list[str]]] = {
    "by the kernel": (found(line()), ["/haproxy"]),
    "by auditd": (found(audit=line()), ["/haproxy"]),
    "of a file below the only mount": (found(line("haproxy.cfg", kind="file")), ["/haproxy"]),
    "of a container that is gone": (found(line(level="s0:c1,c2")), []),
    "that is only noted": (found(line(permissive=1)), []),
    "of the container's own files": (found(line("shadow", kind="file", dev="overlay")), []),
    "of the kernel's": (found(line("kcore", kind="file", dev="proc", label="proc_kcore_t:s0")), []),
    "of a file in memory that no mount names": (found(line("x", dev="tmpfs")), []),
    "of a connection": (found(line(kind="tcp_socket")), []),
    "of a file of its own, all mounts labelled": (
        found(line("other"), mount=BIND | {"Mode": "Z"}),
        [],
    ),
    "before the start since which it runs well": (found(line(), started=NOW - 30), []),
    "before the start of one that loops": (
        found(line(), started=NOW - 30, restarts=3),
        ["/haproxy"],
    ),
    "without labels for containers": (found(line(), info=Info()), []),
}


@pytest.mark.parametrize(("denials", "sources"), SEEN.values(), ids=SEEN)
def test_which_mounts_selinux_denies(denials: SelinuxDenials, sources: list[str]) -> None:
    assert [denial.mount.source for denial in denials] == sources


CURES: dict[str, tuple[SelinuxDenials, dict[str, str]]] = {
    "a folder without a label": (found(line()), {"source": "/haproxy"}),
    "a folder of another container": (
        found(line(label="container_file_t:s0:c1,c2")),
        {"shared": "/haproxy"},
    ),
    "the engine's socket": (
        found(
            line("docker.sock", label="container_var_run_t:s0", kind="sock_file"),
            mount=BIND | {"Source": "/run/docker.sock", "Destination": "/run/docker.sock"},
        ),
        {"unconfined": "web"},
    ),
    "a folder of the system": (
        found(line("etc", label="etc_t:s0"), mount=BIND | {"Source": "/etc"}),
        {"unconfined": "web"},
    ),
    "a home folder, in which sshd reads keys": (
        found(line("alice", label="user_home_dir_t:s0"), mount=BIND | {"Source": "/home/alice"}),
        {"unconfined": "web"},
    ),
    "the logs of the host": (
        found(line("nginx", label="var_log_t:s0"), mount=BIND | {"Source": "/var/log/nginx"}),
        {"unconfined": "web"},
    ),
    "a folder in a home": (
        found(line("www", label="user_home_t:s0"), mount=BIND | {"Source": "/home/alice/www"}),
        {"source": "/home/alice/www"},
    ),
}


@pytest.mark.parametrize(("denials", "cure"), CURES.values(), ids=CURES)
def test_what_gives_access_despite_selinux(denials: SelinuxDenials, cure: dict[str, str]) -> None:
    (denial,) = denials
    judged = judge(
        "container.mount-forbidden",
        containers=of(denial.container),
        log_tails=log_of(denial.container),
        selinux_denials=denials,
    )
    (finding,) = judged.findings
    assert finding.variables == {"container": "web", **cure}
    assert rows(judged) == [("warning", "web")]


@pytest.mark.parametrize(
    ("denials", "severity"),
    [
        (found(line(), status="exited", code=1), "critical"),
        (found(line(), restarts=3), "critical"),
        (found(line(), status="exited"), "warning"),
        (found(line(), status="exited", code=143), "warning"),
    ],
    ids=["failed", "in a loop", "a job that is done", "stopped by somebody"],
)
def test_only_what_fails_is_critical(denials: SelinuxDenials, severity: str) -> None:
    (denial,) = denials
    judged = judge(
        "container.mount-forbidden",
        containers=of(denial.container),
        log_tails=log_of(denial.container),
        selinux_denials=denials,
    )
    assert rows(judged) == [(severity, "web")]
