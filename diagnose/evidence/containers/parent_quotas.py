"""Control groups above running containers that may use the processor for a part of the time only.

A slice of systemd, or what `--cgroup-parent` names. A container below it is held back together with
all others there, and its own limit and its own counters say nothing of it.
"""

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
    """The shared quotas, those of groups near the root first."""


@evidence
def parent_quotas(host: Host, containers: Containers) -> ParentQuotas | Unavailable:
    """Parent cgroups whose CPU quota several containers share, outermost first.

    All running containers take one question, which takes half a second where a group was throttled
    before.
    """
    running = {container.id: container for container in containers.running}
    if not running:
        return ParentQuotas()
    pids = {container.id: container.state.pid for container in containers.running}
    quotas = host.require(SampleParentQuotas(pids))
    shared = [_shared_quota(quota, running) for quota in quotas]
    return ParentQuotas(tuple(sorted(shared, key=lambda parent: parent.quota.path.count("/"))))


def _shared_quota(quota: ParentQuota, running: Mapping[str, Container]) -> SharedQuota:
    """The quota with the containers that still run."""
    return SharedQuota(quota, tuple(running[id] for id in quota.containers if id in running))
