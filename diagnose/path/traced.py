"""The hops of a traced connection: hooks, translations, and what stops it."""

from collections.abc import Iterator, Sequence

from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.firewall.docker import is_docker_chain
from diagnose.firewall.flow import Obstacle, Stage, Trace
from diagnose.firewall.verdict import Step
from diagnose.model import HOST, Subject
from diagnose.path.model import Hop, HopKind, State
from diagnose.path.walk import PathWalk


def show(
    walk: PathWalk,
    traced: Trace,
    *about: Subject,
    host_port: int | None = None,
    networks: Sequence[Subject] = (),
) -> None:
    """The hooks that decided something, and the translations.

    Then what stops the packet or its answer. host_port: the published port that is called.
    networks: those of the container that is called, for which the kernel forwards.
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
        forwarded = networks if traced.obstacle.reason == "forwarding" else ()
        state: State = "broken" if traced.is_blocked else "unknown"
        _obstacle(walk, traced.obstacle, state, (HOST, *about, *forwarded), host_port)
    else:
        walk.add("answer", "answer", "answers find their way back", "ok", HOST, *about)


def _obstacle(
    walk: PathWalk,
    obstacle: Obstacle,
    state: State,
    about: tuple[Subject, ...],
    host_port: int | None,
) -> None:
    """Add the hop at which the packet or its answer is stopped."""
    kinds: dict[str, HopKind] = {"rule": "filter", "route": "route", "forwarding": "forwarding"}
    kind = kinds.get(obstacle.reason, "answer" if obstacle.part == "reply" else "route")
    whose = "the answer" if obstacle.part == "reply" else "the packet"
    words = str(obstacle.by).removeprefix("routing ").removeprefix(": ")
    verb = "is stopped" if state == "broken" else "may be stopped"
    is_rule = obstacle.reason == "rule"
    hop = Hop(
        kind,
        obstacle.hook.upper(),
        text=f"{whose} {verb}: {words}",
        state=state,
        about=about,
        hint=_look_at(obstacle.by) if is_rule else "",
        opening=_opening(obstacle, walk.wanted.proto, host_port) if is_rule else "",
    )
    walk.pass_hop(hop)


def _look_at(step: Step) -> str:
    """The command that shows the chain of a rule; empty for one that only firewalld writes."""
    place = place_of(step)
    if "program" in place:
        return f"{place['program']} -t {place['table']} -vnL {place['chain']} --line-numbers"
    if "nft_chain" in place:
        nft_place = (place["nft_family"], place["nft_table"], place["nft_chain"])
        return f"nft -a list chain {' '.join(nft_place)}"
    return ""


def _opening(obstacle: Obstacle, proto: str, host_port: int | None) -> str:
    """The rule of iptables that lets clients of a published port pass ahead of this one."""
    place = place_of(obstacle.by)
    is_known = host_port is not None and place.get("table") == "filter"
    if (
        not is_known
        or obstacle.hook != "forward"
        or is_docker_chain(obstacle.by.table, obstacle.by.chain)
    ):
        return ""
    way = "REPLY" if obstacle.part == "reply" else "ORIGINAL"
    match = f"-p {proto} -m conntrack --ctorigdstport {host_port} --ctdir {way}"
    return f"{place['program']} -I {place['chain']} {match} -j ACCEPT"


def _hops_of_stage(stage: Stage, about: tuple[Subject, ...]) -> Iterator[Hop]:
    """The hops of one hook: a translation, or the rule that let the packet pass."""
    verdict = stage.verdict
    hook = stage.hook.upper()
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
