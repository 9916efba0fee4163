"""Hosts with two faults, of which one is cured: which pairs there are, and what is recorded."""

from __future__ import annotations

import http.client
import json
import random
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diagnose import registry
from diagnose.model import Report, Severity
from tests.lab.box import Box
from tests.lab.cures import proof
from tests.lab.cures.by_hand import LEFT_OUT, UNPROVABLE, ByHand
from tests.lab.cures.judged_hosts import STEADY_S, Fault, is_known, judged
from tests.lab.engines import Engine
from tests.lab.faults import Scenario
from tests.lab.faults import discover as discover_scenarios
from tests.lab.incident import Incident
from tests.lab.runner import BASE_CONFIG, start

PAIRS_ON = "28.5"
"""The engine that has the pairs. An incident is recorded on the oldest, on which all of them can be
made."""


PATIENCE_S = 40
"""A container that waits for its next start, or for its next probe, is given so long to be well."""


HIDES_THE_REST = (
    "daemon", "daemon_told", "engine_wounds", "swarm", "broken_host", "traps", "healthy_programs",
)  # fmt: skip
"""Scenario modules whose host says nothing about other faults, or whose faults are many already."""


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
                other
                for other in chosen
                if _stand_together(cured, other) and (cured, other) not in found
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
            (scenario.name, scenario.expected[0], [*scenario.expected[1:], *scenario.also])
            for scenario in (cured, other)
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
            if finding.severity > Severity.advice and not is_known(finding, rest)
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


def _recorded(box: Box, folder: Path) -> Report:
    recording = f"/tmp/truth-{folder.name}-{secrets.token_hex(4)}"
    box.sh(f"mkdir -m 1777 {recording}")
    live = box.diagnose(
        "all", "--format", "json", "--budget", "20", "--record", f"{recording}/answers"
    )
    assert live.report, "a report, or the tool's own words about what went wrong"
    shutil.copytree(box.path(f"{recording}/answers"), folder)
    return judged(folder)
