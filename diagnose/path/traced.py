"""The hops of a traced connection: hooks, translations, and what stops it."""

from collections.abc import Iterator

from diagnose.firewall.flow import Obstacle, Stage, Trace
from diagnose.model import HOST, Subject
from diagnose.path.model import Hop, HopKind, State
from diagnose.path.walk import PathWalk


def show(walk: PathWalk, traced: Trace, *about: Subject) -> None:
    """The hooks that decided something, and the translations.

    Then what stops the packet or its answer.
    """
    shown: set[str] = set()
    for stage in traced.stages:
        if traced.obstacle is not None and stage.verdict.by == traced.obstacle.by:
            break
        if stage.part == "request":
            for hop in _hops_of_stage(stage, (HOST, *about)):
                if hop.text not in shown:
                    shown.add(hop.text)
                    walk.hops.append(hop)
    if traced.obstacle is not None:
        _obstacle(
            walk, traced.obstacle, "broken" if traced.is_blocked else "unknown", (HOST, *about)
        )
    else:
        walk.add("answer", "answer", "answers find their way back", "ok", HOST, *about)


def _obstacle(walk: PathWalk, obstacle: Obstacle, state: State, about: tuple[Subject, ...]) -> None:
    kinds: dict[str, HopKind] = {"rule": "filter", "route": "route", "forwarding": "forwarding"}
    kind = kinds.get(obstacle.reason, "answer" if obstacle.part == "reply" else "route")
    whose = "the answer" if obstacle.part == "reply" else "the packet"
    words = str(obstacle.by).removeprefix("routing ").removeprefix(": ")
    verb = "is stopped" if state == "broken" else "may be stopped"
    walk.add(kind, obstacle.hook.upper(), f"{whose} {verb}: {words}", state, *about)


def _hops_of_stage(stage: Stage, about: tuple[Subject, ...]) -> Iterator[Hop]:
    """What one hook did: a translation, or the rule that let the packet pass."""
    verdict, hook = stage.verdict, stage.hook.upper()
    if verdict.nat is not None:
        side = "destination" if verdict.nat.kind in ("dnat", "redirect") else "source"
        changed = (
            verdict.nat.address or verdict.packet.src if side == "source" else verdict.nat.address
        )
        port = f":{verdict.nat.port}" if verdict.nat.port else ""
        rule = f" ({verdict.by})" if verdict.by is not None else ""
        yield Hop(
            "translation", hook, f"{side} becomes {changed or 'the host'}{port}{rule}", about=about
        )
    elif stage.hook in ("forward", "input", "output") and verdict.by is not None:
        is_policy = verdict.by.rule.startswith("policy")
        yield Hop(
            "filter",
            hook,
            "passes: no rule stops it" if is_policy else f"passes: {verdict.by}",
            about=about,
        )
