"""Running programs that call many foreign hosts, by the missing hosts in their logs."""

from collections.abc import Sequence

import msgspec

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.lone_failures import MOST_HOSTS, is_near
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.network.calls.called_places import called_host
from diagnose.registry import evidence


class Watchers(msgspec.Struct, frozen=True):
    """The containers whose last lines report so many missing hosts that they search for some."""

    ids: frozenset[str] = frozenset()

    def hold(self, container: Container) -> bool:
        return container.id in self.ids

    def __len__(self) -> int:
        return len(self.ids)


@evidence
def watchers(containers: Containers, recent_logs: RecentLogs) -> Watchers:
    """The containers that search for many hosts: monitors, crawlers, readers of feeds.

    Their hosts fail in several ways: one is gone, another refuses, a third is silent. A program
    with wrong settings of its own fails in one way.
    """
    watchers = set()
    for container in containers.running:
        if _misses_many([line.text for line in recent_logs.of(container)]):
            watchers.add(container.id)
    return Watchers(frozenset(watchers))


def _misses_many(lines: Sequence[str]) -> bool:
    failed = [line for line in lines if signs(line) & CALL_FAILED]
    hosts = {called_host(line) for line in failed} - {""}
    far = [host for host in hosts if not is_near(host)]
    return len(far) > MOST_HOSTS and len(signs(*failed) & CALL_FAILED) > 1
