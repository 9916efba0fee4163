"""dns.name-pinned: a hosts file leads a container past its neighbour."""

from __future__ import annotations

from collections.abc import Sequence

from diagnose.evidence.dns.pinned_names import PinnedName, PinnedNames
from diagnose.mappings import by_key, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import agree, joined, named
from diagnose.registry import check


@check(
    "dns.name-pinned",
    severity=Severity.critical,
    causes=(
        "container.answers-with-errors",
        "container.crashed",
        "container.errors-in-log",
        "container.exits-at-start",
        "container.failing-inside",
        "container.restart-loop",
        "container.unhealthy",
        "network.call-unanswered",
        "network.calls-failing",
        "network.peer-address-stale",
    ),
)
def name_pinned(pinned_names: PinnedNames) -> CheckResult:
    """A container's hosts file gives its neighbour's name another address.

    `extra_hosts`, `--add-host` or an edit of /etc/hosts in the container: programs read the file
    before they ask the engine. It counts where another container on a network of its own has the
    name, with other addresses, and where the container's calls, or its answers to its clients,
    fail. It is a warning where the container complains of something else: the line may be meant.
    Seen on engines 20.10.24 and 28.5.2.
    """
    groups = by_key(
        ((pinned.container.id, pinned.address, pinned.is_configured), pinned)
        for pinned in pinned_names
    )
    for group in groups.values():
        yield _finding(group)
    return None


def _finding(group: Sequence[PinnedName]) -> Finding:
    """The names that one container is given one address for."""
    first = group[0]
    container, names = first.container, [pinned.name for pinned in group]
    owners = {peer.id: peer for pinned in group for peer in pinned.peers}
    owns = {name: owns for pinned in group for name, owns in pinned.own_addresses.items()}
    called = joined([f'"{name}"' for name in names])
    verb = agree(owns, "has that name", "have these names")
    source = "its extra_hosts" if first.is_configured else "an edit of its /etc/hosts"
    return Finding.about(
        container,
        f"{container} calls {first.address} for {called}, "
        f"because of {source}; {named('container', owns)} {verb}",
        {
            "/etc/hosts": f"{first.address} {' '.join(names)}",
            "HostConfig.ExtraHosts": container.host_config.extra_hosts or [],
            **{f"addresses of {name}": addresses for name, addresses in owns.items()},
        },
        discriminator=first.address,
        severity=None if any(pinned.is_blamed for pinned in group) else Severity.warning,
        touches=subjects_of(owners.values()),
        stable=(container.life,),
    ).with_variables({**_cure(first), "name": first.name})


def _cure(pinned: PinnedName) -> PageVariables:
    """A start, at which the engine writes a new file, or a container without the option."""
    return {"pinned" if pinned.is_configured else "edited": pinned.container.name}
