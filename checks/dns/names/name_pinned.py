"""dns.name-pinned: a hosts file leads a container past its neighbour."""

from collections.abc import Sequence

from diagnose.evidence.dns.names.pinned_names import PinnedName, PinnedNames
from diagnose.first_steps.dns.pinned_name_steps import pinned_name_steps, rewriting_steps
from diagnose.mappings import by_key, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Subject
from diagnose.phrases import agree, joined, named, sentence
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
        "container.restarts-exhausted",
        "container.unhealthy",
        "network.call-unanswered",
        "network.calls-failing",
        "network.peer-address-stale",
    ),
)
def name_pinned(pinned_names: PinnedNames) -> CheckResult:
    """A container's hosts file gives its neighbour's name another address.

    `extra_hosts`, `--add-host` or an edit of /etc/hosts in the container: programs read the file
    before they ask the engine. The same holds for a file of the host that is mounted there. It
    counts where another container on a network of its own has the name, with other addresses, and
    where the container's calls, or its answers to its clients, fail. It counts too where the
    address lies in one of Docker's networks, no container has it any more, and calls of that name
    fail. It is a warning where the container complains of something else: the line may be meant.
    Seen on engines 20.10.24 and 28.5.2.
    """
    groups = by_key(
        ((pinned.container.id, pinned.address, pinned.is_configured), pinned)
        for pinned in pinned_names
    )
    for group in groups.values():
        yield _finding(group)


def _finding(group: Sequence[PinnedName]) -> Finding:
    """The finding about the names for which one container has a fixed address."""
    first = group[0]
    container = first.container
    names = [pinned.name for pinned in group]
    if first.left_on:
        return _left_finding(group)
    owners = {peer.id: peer for pinned in group for peer in pinned.peers}
    owns = {name: owns for pinned in group for name, owns in pinned.own_addresses.items()}
    called = joined([f'"{name}"' for name in names])
    verb = agree(owns, "has that name", "have these names")
    return Finding.about(
        container,
        f"{container} calls {first.address} for {called}, "
        f"because of {_source(first)}; {named('container', owns)} {verb}",
        {
            "/etc/hosts": f"{first.address} {' '.join(names)}",
            "HostConfig.ExtraHosts": container.host_config.extra_hosts or [],
            **{f"addresses of {name}": addresses for name, addresses in owns.items()},
        },
        discriminator=first.address,
        severity=None if any(pinned.is_blamed for pinned in group) else Severity.warning,
        touches=subjects_of(owners.values()),
        recheck=(container.run,),
        variables={**pinned_name_steps(first), "name": first.name},
    )


def _left_finding(group: Sequence[PinnedName]) -> Finding:
    """The finding about names that lead to an address which no machine has any more."""
    first = group[0]
    container = first.container
    names = [pinned.name for pinned in group]
    called = joined([f'"{name}"' for name in names])
    meant_clause = (
        f"{first.meant} has {first.present_address} now" if first.meant is not None else ""
    )
    return Finding.about(
        container,
        sentence(
            f"{container} calls {first.address} for {called}, because of {_source(first)}; no "
            f'running container of network "{first.left_on}" has that address',
            meant_clause,
        ),
        {"/etc/hosts": f"{first.address} {' '.join(names)}"},
        discriminator=first.address,
        touches=(Subject("network", first.left_on),),
        recheck=(container.run,),
        variables={**pinned_name_steps(first), **rewriting_steps(first), "name": first.name},
    )


def _source(pinned: PinnedName) -> str:
    """The source of the line, in words: a setting, a mounted file, or an edit."""
    if pinned.is_configured:
        return "its extra_hosts"
    if pinned.file:
        return f"file {pinned.file}, which is mounted at its /etc/hosts"
    return "an edit of its /etc/hosts"
