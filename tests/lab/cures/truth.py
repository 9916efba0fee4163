"""Whether what the tool calls a cause is one: two faults on one host, one of them cured, and a
second look.

    python -m tests.lab.cures.truth record DIR [--seed N] [--pairs 150] [--minutes M]
    python -m tests.lab.cures.truth judge DIR

`record` takes the incidents, then pairs of faults of two families; it builds each host on a real
engine and keeps what the tool recorded before and after the cure. `judge` needs no engine: it
judges the recordings again.

The truth is what was broken: the finding that a scenario is declared by is a root, unless `EFFECTS`
says of which fault it is an effect. What vanishes with the cured fault was its effect; what stays
was not.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import secrets
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from diagnose import registry
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CauseLink, Report, Reported, Severity, Strength
from diagnose.questions.run import Options
from diagnose.session import collect, diagnose
from tests.lab.box import Box
from tests.lab.cures import proof
from tests.lab.cures.by_hand import LEFT_OUT, UNPROVABLE, ByHand
from tests.lab.engines import Engine, find
from tests.lab.engines import discover as discover_engines
from tests.lab.faults import Expectation, Scenario, matches
from tests.lab.faults import discover as discover_scenarios
from tests.lab.incident import Incident
from tests.lab.incident import discover as discover_incidents
from tests.lab.runner import BASE_CONFIG, start

SEED = 20261126
PAIRS_ON = "28.5"
"""The engine that has the pairs. An incident is recorded on the oldest, on which all of them can be
made."""
PATIENCE_S = 40
"""A container that waits for its next start, or for its next probe, is given so long to be well."""
STEADY_S = 8
"""What loops in the lab ends within a second: a container that has run for so long is well."""
LONGEST_S = 300

HIDES_THE_REST = (
    "daemon", "daemon_told", "engine_wounds", "swarm", "broken_host", "traps", "healthy_programs",
)  # fmt: skip
"""Scenario modules whose host says nothing about other faults, or whose faults are many already."""

EFFECTS: dict[str, str] = {
    "container.shim_killed_while_containerd_was_down": "daemon.containerd-down",
    "dns.answers_dropped_by_the_host": "firewall.output-dropped",
    "dns.resolver_ended_with_the_engine": "daemon.not-running",
    "storage.read_only": "kernel.filesystem-errors",
    "storage.disk_of_one_mount_read_only": "kernel.filesystem-errors",
    "dns.forwarding_of_dns_dropped": "firewall.forward-dropped",
    "running_programs.redis_that_cannot_save": "container.mount-forbidden",
}
"""Scenarios whose own finding is an effect of what they break, and the id of the cause."""


SERVE = "nc -ll -p 5432 -e true"
"""What answers those that call port 5432."""
_SERVER = "--memory=64m --pids-limit=64 bb:1.36 sh -c '" + SERVE + "'"
_CONFIG = f"printf '%s' '{json.dumps(dict(BASE_CONFIG))}' >/etc/docker/daemon.json"


def _undrop(box: Box) -> None:
    box.provider.undrop()


def _dns_again(box: Box) -> None:
    box.provider.dns_start()


CURES: dict[str, ByHand] = {
    "volume_fills_the_disk": "rm /var/lib/docker/volumes/orders/_data/orders.db",
    "no_inode_is_left": "find /var/lib/docker/volumes/cache/_data -type f -delete",
    "deleted_file_fills_the_disk": "docker rm -f logger",
    "shared_memory_is_full": "docker exec postgres rm /dev/shm/segment",
    "rule_in_docker_user_drops_all": "iptables -D DOCKER-USER -j DROP",
    "script_of_the_other_backend": "iptables-legacy -P FORWARD ACCEPT",
    "wrong_resolver_in_daemon_json": _CONFIG
    + "; systemctl restart docker; docker restart -t 0 api",
    "resolver_went_down_beside_a_bad_deploy": _dns_again,
    "resolver_of_the_host_is_silent": _undrop,
    "subnet_hides_the_resolver": "docker network disconnect -f office printer; docker network rm office",
    "memory_limit_is_too_small": f"docker rm -f report; docker run -d --name=report --net=shop {_SERVER}",
    "database_was_given_up": f"docker rm -f db; docker run -d --name=db --net=shop {_SERVER}",
    "port_is_taken_and_others_need_it": f"docker rm -f blue api; docker run -d --name=api --net=shop -p 8085:80 {_SERVER}",
    "database_hangs_and_refuses": f"docker rm -f db; docker run -d --name=db --net=shop {_SERVER}",
    "log_collector_does_not_come_up": "docker rm -f collector; docker run -d --name=collector -p 24224:24224 bb:1.36"
    " sh -c 'nc -ll -p 24224 -e cat'; docker start db",
    "database_fills_a_disk_of_its_own": "rm /srv/pg/base",
    "probe_cannot_fork": "docker update --pids-limit 200 crowd; docker start crowd",
    "probe_gets_no_processor": "docker update --cpus 2 busy",
    "dns.forwarding_of_dns_dropped": "iptables -D DOCKER-USER -p udp --dport 53 -j DROP",
}
"""By incident or scenario: its cause removed by hand, where the page alone does not do it."""
REMEMBERED = ("image.registry-unreachable",)
"""Checks that read the engine's log of the last day: a cure does not unsay what is written there.
"""
LOOPS = ("container.restart-loop", "container.restarts-exhausted")


@dataclass(frozen=True)
class Fault:
    """What is broken, as the report must tell it: the finding of the cause, and what may follow
    from it."""

    name: str
    cause: Expectation
    follows: tuple[Expectation, ...]

    def is_cause(self, finding: Reported) -> bool:
        """Whether this is the finding of the fault itself."""
        return matches(self.cause, finding.id, str(finding.subject))

    def owns(self, finding: Reported) -> bool:
        """Whether the finding is the fault's own or may follow from it."""
        return any(
            matches(known, finding.id, str(finding.subject))
            for known in (self.cause, *self.follows)
        )


@dataclass
class Figures:
    """What was counted over all hosts; the lists name each case, for the reader."""

    hosts: int = 0
    cured: int = 0
    causes: int = 0
    effects: int = 0
    links: Counter[str] = field(default_factory=Counter)
    confirmed: int = 0
    tested: int = 0
    folded_wrongly: list[str] = field(default_factory=list)
    shown_as_roots: list[str] = field(default_factory=list)
    refuted_by_cure: list[str] = field(default_factory=list)
    gone_as_well: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The figures in words."""
        proven, all_links = self.links["proven"], self.links.total()
        yield f"hosts {self.hosts}, of which one cause was cured on {self.cured}; {self.causes} injected faults found"
        yield f"wrong folds: {len(self.folded_wrongly)}"
        yield f"true effects shown as roots: {len(self.shown_as_roots)} of {self.effects}"
        yield f"proven links confirmed by the cure: {self.confirmed} of {self.tested}"
        strengths = ", ".join(f"{count} {name}" for name, count in self.links.most_common())
        yield f"links that are proven: {proven} of {all_links} ({strengths})"
        yield f"gone with a cure that does not explain them: {len(self.gone_as_well)}"
        for title in ("folded_wrongly", "shown_as_roots", "refuted_by_cure", "gone_as_well"):
            for case in getattr(self, title):
                yield f"  {title.replace('_', ' ')}: {case}"


# -- which hosts ----------------------------------------


def pairs(seed: int, number: int, engine: Engine) -> list[tuple[Scenario, Scenario]]:
    """So many pairs of faults of two families that can stand on one host, the one to be cured
    first.

    Each family has its turn as the cured one, so that few scenarios of a family are met as often as
    many.
    """
    known = registry.load()
    chosen = [
        scenario for scenario in discover_scenarios().values() if _is_fit(scenario, engine, known)
    ]
    choice = random.Random(seed)
    choice.shuffle(chosen)
    by_family: dict[str, list[Scenario]] = {}
    for scenario in chosen:
        if scenario.name not in UNPROVABLE:
            by_family.setdefault(_family(scenario), []).append(scenario)
    found: list[tuple[Scenario, Scenario]] = []
    turn = 0
    while len(found) < number:
        for family in sorted(by_family):
            cured = by_family[family][turn % len(by_family[family])]
            others = [
                each
                for each in chosen
                if _stand_together(cured, each) and (cured, each) not in found
            ]
            if others:
                found.append((cured, choice.choice(others)))
        turn += 1
    return found[:number]


def _family(scenario: Scenario) -> str:
    return scenario.expected[0][0].partition(".")[0]


def _is_fit(scenario: Scenario, engine: Engine, known: Mapping[str, Any]) -> bool:
    module = scenario.name.partition(".")[0]
    if (
        scenario.healthy
        or scenario.name in LEFT_OUT
        or module in HIDES_THE_REST
        or engine not in scenario.engines
    ):
        return False
    check = known.get(scenario.expected[0][0])
    if check is None or check.posture or check.severity is Severity.advice:
        return False
    run_otherwise = scenario.args or scenario.user or scenario.groups or scenario.env
    return scenario.engine_started and not run_otherwise


def _stand_together(first: Scenario, second: Scenario) -> bool:
    """Whether one host can have both: of other families, and at most one wants a host of its
    own."""
    return _family(first) != _family(second) and (first.shareable or second.shareable)


# -- to build, look, cure, look again ----------------------------------------


def record_pair(cured: Scenario, other: Scenario, engine: Engine, folder: Path) -> None:
    """Build both faults on one host, and keep what the tool records before and after the first is
    cured."""
    special = other if cured.shareable else cured
    order = (other, cured) if other.shareable else (cured, other)
    with Box(engine, **special.box) as box:
        proof.equip(box)
        start(box, special)
        proof.note_units(box)
        box.image("bb:1.36")
        for scenario in order:
            scenario.inject(box)
        follows = [
            (each.name, each.expected[0], [*each.expected[1:], *each.also])
            for each in (cured, other)
        ]
        _look_cure_look(box, cured, folder, follows)


def record_incident(incident: Incident, engine: Engine, folder: Path) -> None:
    """Build a compound incident, and keep what the tool records before and after its root is
    cured."""
    scenario = Scenario(incident.name, incident.doc, incident.inject, (incident.root,), engine_started=incident.engine_started,
                        baseline=False, box=incident.box, config=incident.config, flags=incident.flags)  # fmt: skip
    with Box(engine, **incident.box) as box:
        proof.equip(box)
        start(box, scenario)
        if incident.engine_started:
            proof.note_units(box)
            box.image("bb:1.36")
        incident.inject(box)
        follows = [
            (incident.name, incident.root, [*incident.effects, *incident.also]),
            ("bystander", incident.bystander, []),
        ]
        _look_cure_look(box, scenario, folder, follows)


def _look_cure_look(box: Box, cured: Scenario, folder: Path, faults: Sequence[Any]) -> None:
    folder.mkdir(parents=True)
    report = _recorded(box, folder / "before")
    state: dict[str, Any] = {"faults": faults, "steps": [], "healed": False, "complaints": []}
    (folder / "truth.json").write_text(json.dumps(state))
    cure = proof.Cure(cured.name, cured.expected[0][0])
    patient = proof.admit(cured, cure, report)
    if patient is not None:
        patient.effects = frozenset()
        if cured.name in CURES:
            patient.plan.insert(0, proof.Action(proof.CAUSE, CURES[cured.name], None))
        proof.treat(box, [patient])
        report = _recorded(box, folder / "after")
        rest = [Fault(name, cause, tuple(follows)) for name, cause, follows in faults[1:]]
        left = {
            finding.subject.name
            for finding in report.findings
            if finding.severity > Severity.advice and not _known(finding, rest)
        }
        if left:
            _wait_for(box, left)
            shutil.rmtree(folder / "after")
            _recorded(box, folder / "after")
    state |= {"steps": cure.steps, "healed": cure.how != "unproven", "complaints": cure.complaints}
    (folder / "truth.json").write_text(json.dumps(state, indent=1))


def _wait_for(box: Box, names: set[str]) -> None:
    """Starts those again that have ended, and waits until all have run for `STEADY_S`, or
    PATIENCE_S are over."""
    ended = [
        name
        for name, state in _states(box).items()
        if name in names and state in ("exited", "restarting", "created")
    ]
    if ended:
        box.docker("restart", "-t", "0", *ended, check=False, timeout=60)
    end = time.monotonic() + PATIENCE_S
    since: float | None = None
    while time.monotonic() < end and (since is None or time.monotonic() < since + STEADY_S):
        time.sleep(1)
        states = _states(box)
        steady = all(states.get(name, "running") == "running" for name in names)
        since = (since or time.monotonic()) if steady else None


def _states(box: Box) -> dict[str, str]:
    try:
        listed = box.api("/containers/json?all=1", timeout=5)
    except (OSError, AssertionError, http.client.HTTPException):
        return {}
    return {container["Names"][0].removeprefix("/"): container["State"] for container in listed}


def _known(finding: Reported, faults: Sequence[Fault]) -> bool:
    return any(fault.owns(finding) for fault in faults)


def _recorded(box: Box, folder: Path) -> Report:
    recording = f"/tmp/truth-{folder.name}-{secrets.token_hex(4)}"
    box.sh(f"mkdir -m 1777 {recording}")
    live = box.diagnose(
        "all", "--format", "json", "--budget", "20", "--record", f"{recording}/answers"
    )
    assert live.report, "a report, or the tool's own words about what went wrong"
    shutil.copytree(box.path(f"{recording}/answers"), folder)
    return _judged(folder)


# -- to judge ----------------------------------------


def _judged(folder: Path) -> Report:
    known = registry.load()
    return diagnose(
        lambda: known, None, Options(source=folder, budget_s=120), began=time.monotonic()
    )


def _fault(name: str, own: Expectation, follows: list[Expectation]) -> Fault:
    """A scenario's fault. Where its own finding is declared an effect, the cause is what it
    names."""
    cause = EFFECTS.get(name)
    if cause is None:
        return Fault(name, own, tuple(follows))
    return Fault(name, (cause, "*"), (own, *follows))


class _Recorded(NamedTuple):
    """A recorded host before the cure: its faults, and what was found above advice."""

    where: str
    faults: Sequence[Fault]
    loud: Sequence[Reported]
    by_key: Mapping[str, Reported]
    """All findings, advice too."""
    steps: Sequence[str]
    """Those of the page that the cure took."""


def judge(folder: Path, figures: Figures) -> None:
    """Count one recorded host."""
    state = json.loads((folder / "truth.json").read_text())
    before = _judged(folder / "before")
    recorded = _Recorded(
        folder.name,
        [
            _fault(name, tuple(own), [tuple(follow) for follow in follows])
            for name, own, follows in state["faults"]
        ],
        [finding for finding in before.findings if finding.severity > Severity.advice],
        {finding.key: finding for finding in before.findings},
        state["steps"],
    )
    figures.hosts += 1
    for finding in recorded.loud:
        _count_links(finding, recorded, figures)
    if state["healed"] and (folder / "after").is_dir():
        figures.cured += 1
        _count_cure(folder / "after", recorded, figures)


def _count_links(finding: Reported, recorded: _Recorded, figures: Figures) -> None:
    """The links of one finding, and those that lead to the cause of another fault."""
    faults, by_key = recorded.faults, recorded.by_key
    figures.links.update(link.strength.name for link in (*finding.causes, *finding.possible))
    own = [fault for fault in faults if fault.is_cause(finding)]
    figures.causes += len(own)
    for link in finding.causes:
        cause = by_key[link.cause]
        is_foreign = not any(fault.owns(finding) and fault.owns(cause) for fault in faults)
        if own or (is_foreign and not _names_both(finding, link, faults, by_key)):
            figures.folded_wrongly.append(
                f"{recorded.where}: {finding.key} <- {cause.key} ({link.strength.name})"
            )


def _count_cure(after: Path, recorded: _Recorded, figures: Figures) -> None:
    """What the cure of the first fault has ended, and what it should have ended."""
    severities = {finding.key: finding.severity for finding in _judged(after).findings}
    steady = _steady(after)
    for finding in recorded.loud:
        if recorded.faults[0].is_cause(finding):
            continue
        # what loops with success after the cure, since it is a job that is started again, is milder
        is_milder = finding.id in LOOPS and finding.subject.name in steady
        is_gone = severities.get(finding.key, Severity.advice) < finding.severity or is_milder
        _count_effect(finding, recorded, figures, is_gone=is_gone)


def _count_effect(
    finding: Reported, recorded: _Recorded, figures: Figures, *, is_gone: bool
) -> None:
    """Whether a finding that ended, or did not, was linked to the fault that was cured."""
    cured, *others = recorded.faults
    leads = [
        strength
        for key, strength in _leads(finding, recorded.by_key).items()
        if cured.is_cause(recorded.by_key[key])
    ]
    steps = ", ".join(recorded.steps)
    if Strength.proven in leads and finding.id not in REMEMBERED:
        figures.tested += 1
        figures.confirmed += is_gone
        if not is_gone:
            figures.refuted_by_cure.append(f"{recorded.where}: {finding.key} stays after {steps}")
    if not is_gone:
        return
    if not any(fault.is_cause(finding) for fault in others):
        figures.effects += 1
        if finding.root:
            figures.shown_as_roots.append(f"{recorded.where}: {finding.key}, gone after {steps}")
    is_destroyed = any(step.partition(", ")[2].startswith("d") for step in recorded.steps)
    if not leads and not is_destroyed:
        figures.gone_as_well.append(f"{recorded.where}: {finding.key} after {steps}")


def _names_both(
    finding: Reported, link: CauseLink, faults: Sequence[Fault], by_key: Mapping[str, Reported]
) -> bool:
    """Whether the report says that this cause and one of the effect's own fault must both be
    cured."""
    return link.jointly and any(
        fault.owns(finding) and fault.owns(by_key[other.cause])
        for other in finding.causes
        if other.jointly
        for fault in faults
    )


def _steady(folder: Path) -> frozenset[str]:
    """The containers that have run for STEADY_S: a loop counts as one for an hour after it has
    ended."""
    containers, clock = collect(
        [Containers, Clock], Options(source=folder, budget_s=60), began=time.monotonic()
    )
    if not isinstance(containers, Containers) or not isinstance(clock, Clock):
        return frozenset()
    running = [container for container in containers if container.state.status == "running"]
    return frozenset(
        container.name
        for container in running
        if (clock.age(container.started_at) or 0.0) >= STEADY_S
    )


def _leads(finding: Reported, by_key: Mapping[str, Reported]) -> dict[str, Strength]:
    """The causes above a finding, each with the weakest link on the way; without those that are no
    cause alone."""
    found: dict[str, Strength] = {}
    open_ends = [(finding, Strength.proven)]
    while open_ends:
        effect, strength = open_ends.pop()
        for link in effect.causes:
            weakest = min(strength, link.strength)
            if (
                not link.jointly
                and found.get(link.cause, Strength.possible) <= weakest
                and link.cause not in found
            ):
                found[link.cause] = weakest
                open_ends.append((by_key[link.cause], weakest))
    return found


# -- the command ----------------------------------------


def _record(into: Path, seed: int, number: int, minutes: float) -> None:
    """Each host in a process of its own: what hangs is ended, and counted as not built."""
    engine = find(PAIRS_ON)
    print(f"seed {seed}, engine {engine.version}", flush=True)
    jobs = [f"{cured.name}+{other.name}" for cured, other in pairs(seed, number, engine)]
    jobs = [*discover_incidents(), *jobs]
    end = time.monotonic() + minutes * 60
    for number, job in enumerate(jobs, 1):
        if time.monotonic() > end:
            print(f"the {minutes:g} minutes are over after {number - 1} of {len(jobs)} hosts")
            break
        if (into / job).exists():
            continue
        began = time.monotonic()
        command = [sys.executable, "-m", "tests.lab.cures.truth", "one", str(into), job]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LONGEST_S, check=False
            )
            if done.returncode == 0:
                said = "recorded"
            else:
                said = f"not recorded: {done.stderr.strip()[-300:]}"
        except subprocess.TimeoutExpired:
            said = f"not recorded: more than {LONGEST_S} s"
        print(f"{number}/{len(jobs)} {job}: {said}, {time.monotonic() - began:.0f} s", flush=True)


def _one(into: Path, job: str) -> None:
    scenarios = discover_scenarios()
    first, _, second = job.partition("+")
    if second:
        record_pair(scenarios[first], scenarios[second], find(PAIRS_ON), into / job)
    else:
        record_incident(discover_incidents()[job], discover_engines()[0][0], into / job)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=("record", "judge", "one"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("job", nargs="?", default="")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--pairs", type=int, default=150)
    parser.add_argument("--minutes", type=float, default=180)
    given = parser.parse_args()
    if given.command == "one":
        _one(given.folder, given.job)
    elif given.command == "record":
        _record(given.folder.resolve(), given.seed, given.pairs, given.minutes)
    else:
        figures = Figures()
        for folder in sorted(given.folder.iterdir()):
            if (folder / "truth.json").is_file():
                judge(folder, figures)
        print("\n".join(figures.lines()))


if __name__ == "__main__":
    main()
