"""DNS servers that lose some of the sampled queries, and on which ways. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.dns.query_groups import QueryGroup
from diagnose.evidence.dns.samples import DnsSamples, SampledPath
from diagnose.evidence.network.addresses import is_loopback
from diagnose.mappings import by_key

MOST_CHANCE = 0.01
"""A way without a loss is sound if one that loses as many as the worst would show none with this
probability at most."""


class ServerLoss(msgspec.Struct, frozen=True):
    """A server, with all sampled paths to it and those that lose queries."""

    server: str
    paths: tuple[SampledPath, ...]
    lossy: tuple[SampledPath, ...]
    worst: SampledPath
    """The path that loses most."""
    users: tuple[QueryGroup, ...]
    """The containers that ask it."""
    sound: str
    """Another server that loses nothing; "" where there is none."""
    sent_again: Mapping[str, float]
    """The percent of TCP segments that containers had to send again, where that is much."""

    @property
    def is_of_network(self) -> bool:
        """Whether other packets than those to the server are lost too."""
        return bool(self.sent_again) and not self.sound and not self.host_loses_none

    @property
    def host_loses_none(self) -> bool:
        """Whether the host was answered each time, so that the loss is on a network's own way."""
        lost_pct = self.worst.sample.lost_pct
        return any(not path.networks and _is_sound(path, lost_pct) for path in self.paths)

    @property
    def networks(self) -> list[str]:
        return sorted({name for path in self.lossy for name in path.networks})


def server_losses(
    samples: DnsSamples,
    groups: Sequence[QueryGroup],
    sent_again: Mapping[str, float],
    warn_pct: float,
) -> Iterator[ServerLoss]:
    """The servers that lose at least so many percent of the queries on some way."""
    by_server = by_key((path.server, path) for path in samples.paths)
    for server, paths in by_server.items():
        lossy = [path for path in paths if path.loses_some and path.sample.lost_pct >= warn_pct]
        if not lossy:
            continue
        worst = max(lossy, key=lambda path: path.sample.lost_pct)
        yield ServerLoss(
            server,
            paths=tuple(paths),
            lossy=tuple(lossy),
            worst=worst,
            users=tuple(users_of(server, groups)),
            sound=_sound_server(samples, worst),
            sent_again=sent_again,
        )


def users_of(server: str, groups: Sequence[QueryGroup]) -> list[QueryGroup]:
    """The groups of containers that ask a server."""
    return [group for group in groups if group.uses([server])]


def _is_sound(path: SampledPath, lost_pct: float) -> bool:
    """Whether all queries were answered, and not by luck on a way that loses so many percent.

    On a way that loses 30 %, one sample of eight in 17 shows no loss.
    """
    chance = (1 - lost_pct / 100) ** path.sample.sent
    return not path.sample.lost and chance <= MOST_CHANCE


def _sound_server(samples: DnsSamples, worst: SampledPath) -> str:
    """Another server of the host that answered all of several queries; empty if there is none."""
    for path in samples.paths:
        is_other = path.server != worst.server and not path.networks
        is_remote = not is_loopback(path.server)
        if is_other and is_remote and _is_sound(path, worst.sample.lost_pct):
            return path.server
    return ""
