"""network.target-absent: a program collects figures from a place that no container serves."""

from diagnose.evidence.network.calls.absent_targets import AbsentTarget, AbsentTargets
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more
from diagnose.registry import check

SHOWN = 6


@check(
    "network.target-absent",
    severity=Severity.advice,
    aloud=("collects metrics where nothing answers", "collect metrics where nothing answers"),
)
def target_absent(absent_targets: AbsentTargets) -> CheckResult:
    """A program collects figures from a place that no container serves.

    Prometheus and VictoriaMetrics log no target that fails. The check reads the fixed targets in
    their mounted settings. A target counts where its name of one word is that of a container which
    does not run, is on none of the program's networks, or serves other ports; and where no
    container has that name and the engine's DNS denies it. Targets at localhost are those of
    container.loopback-peer. A target that is wanted only at times is one too.
    """
    for target in absent_targets:
        yield _finding(target)


def _finding(target: AbsentTarget) -> Finding:
    container = target.container
    owner = target.owner
    return Finding.about(
        container,
        f"{container} collects no metrics from {target.place}: {_reason(target)}",
        present(
            {
                "in the settings": target.path,
                f"networks of {container.name}": sorted(container.endpoints),
                f"networks of {target.name}": sorted(owner.endpoints) if owner else [],
            }
        ),
        discriminator=target.place,
        recheck=(container.run,),
        touches=subjects_of([owner]),
        variables=_steps(target),
    )


def _reason(target: AbsentTarget) -> str:
    """Why nothing answers there, as the end of a sentence."""
    owner = target.owner
    if owner is None:
        return "no container has that name, and the engine's DNS does not know it"
    if not owner.is_running:
        return f"{owner} is not running"
    if target.is_apart:
        return f"{owner} is on none of its networks"
    if not target.served:
        return f"nothing in {owner} listens for others at that port"
    return f"{owner} listens at {and_more(map(str, target.served), SHOWN)}, and not at that port"


def _steps(target: AbsentTarget) -> PageVariables:
    """The page variables of the cure: for the network, for the server, or for the settings."""
    owner = target.owner
    if owner is not None and not owner.is_running:
        return {"stopped": owner.name}
    if owner is not None and target.is_apart:
        own_networks = [name for name in target.container.endpoints if name != "bridge"]
        return {"apart": owner.name, "network": own_networks[0]} if own_networks else {}
    return {"place": target.place, "path": target.path}
