"""Refused paths below a mount, and what is said of them."""

from __future__ import annotations

from typing import Any

from diagnose.evidence.containers.mounts.bind_mounts import BindSources, PathStatus
from diagnose.evidence.engine.info import Info
from diagnose.model import Finding
from tests.checks.container.evidence import container_in, items, log_of
from tests.inspected import of
from tests.judging import judge

MOUNTED: dict[str, Any] = {
    "Type": "bind",
    "Source": "/srv/data",
    "Destination": "/data",
    "RW": True,
}
DENIED = "cat: can't open '/data/key': Permission denied"
FOLDER, FILE, GONE = (
    PathStatus(type="folder", mode=0o755),
    PathStatus(type="file", mode=0o644),
    PathStatus(failed="missing"),
)
GROUPS = PathStatus(type="folder", mode=0o770, gid=50)


def shut_out(
    line: str,
    top: PathStatus = FOLDER,
    below: dict[str, PathStatus] | None = None,
    *,
    user: str = "1000:1000",
    info: Info | None = None,
    **host_config: Any,
) -> str:
    """What is said of a container with /srv/data at /data: a summary, why it is not known, or
    nothing."""
    container = container_in(
        "exited", code=1, Config={"User": user}, Mounts=[MOUNTED], HostConfig=host_config
    )
    sources = BindSources(
        {"/srv/data": top}, {f"/srv/data/{name}": one for name, one in (below or {}).items()}
    )
    findings = items(
        judge(
            "container.mount-forbidden",
            containers=of(container),
            log_tails=log_of(container, line),
            bind_sources=sources,
            info=info or Info(),
        )
    )
    assert len(findings) < 2
    return "".join(
        finding.summary if isinstance(finding, Finding) else f"? {finding.why}"
        for finding in findings
    )


SHUT = PathStatus(type="file", mode=0o600)
