"""Control groups above running containers that may use the processor for a part of the time only.

A slice of systemd, or what `--cgroup-parent` names. A container below it is held back together with
all others there, and its own limit and its own counters say nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.containers import ParentQuota, SampleParentQuotas
from diagnose.registry import evidence


class SharedQuota(msgspec.Struct, frozen=True):
    """A quota, and the running containers that share it."""

    quota: ParentQuota
    containers: tuple[Container, ...]

    @property
    def slice(self) -> str:
        """The slice of systemd that has the quota; "" for another group."""
        name = self.quota.path.rpartition("/")[2]
        return name if name.endswith(".slice") else ""

    @property
    def is_of_version_1(self) -> bool:
        return self.quota.file.endswith("cpu.cfs_quota_us")


class ParentQuotas(Items[SharedQuota], frozen=True):
    """Groups near the root come first."""


@evidence
def parent_quotas(host: Host, containers: Containers) -> ParentQuotas | Unavailable:
    """One question for all that run; it takes half a second where a group was throttled before."""
    running: Mapping[str, Container] = {item.id: item for item in containers.running}
    if not running:
        return ParentQuotas()
    answer = host.require(SampleParentQuotas({id: one.state.pid for id, one in running.items()}))
    shared = [
        SharedQuota(quota, tuple(running[id] for id in quota.containers if id in running))
        for quota in answer
    ]
    return ParentQuotas(tuple(sorted(shared, key=lambda item: item.quota.path.count("/"))))
