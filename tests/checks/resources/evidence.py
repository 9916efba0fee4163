"""Evidence that several files of this family share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.limits.host_limits import Descriptors, HostLimits
from diagnose.evidence.machine.pressure import Pressure
from diagnose.evidence.run.options import Options
from diagnose.model import Finding
from tests.inspected import container

NOW = 1_800_000_000.0


CLOCK = Clock(NOW, NOW - 90 * 86400)


OPTIONS = Options()


MIB = 1 << 20


GIB = 1 << 30


def web(name: str = "web", **parts: Any) -> Container:
    return container(name, **{"Id": hashlib.sha256(name.encode()).hexdigest(), **parts})


WEB = web()


def findings_of(answer: Any) -> list[Finding]:
    if isinstance(answer, Iterable):
        return [outcome for outcome in answer if isinstance(outcome, Finding)]
    return []


def severities(answer: Any) -> list[str]:
    return [finding.severity.name if finding.severity else "-" for finding in findings_of(answer)]


def cgroup_of(**parts: Any) -> Cgroups:
    return Cgroups({WEB.id: CgroupStats(**parts)})


def pressure_on(resource: str, full: float) -> Pressure:
    return Pressure(
        {resource: {"full": {"avg60": full}, "some": {"avg60": full}}}, (1.0, 1.0, 1.0), 4
    )


ROOMY = HostLimits(300, 32768, 5000, 100_000, (Descriptors(50, "dockerd", 90, 1024),))
