"""Swarm: which services lack tasks, which node keeps itself out, on shapes that the engine
answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from diagnose import runbooks
from diagnose.evidence.containers.swarm import Node, Service, Swarm, Task, UpdateStatus
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.modules import Ipvs
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.model import Subject, Unavailable
from diagnose.questions.network import Address
from tests.inspected import container, of
from tests.judging import judge

CLOCK = Clock(wall=1.8e9, booted=1.7e9)
ONCE = {"TaskTemplate": {"RestartPolicy": {"Condition": "none"}}}
COMPLETE = {"ServiceID": "s", "Status": {"State": "complete"}}
FAILED = {"ServiceID": "s", "Status": {"State": "failed", "Err": "task: non-zero exit (7)"}}


def _swarm(spec: dict[str, Any], tasks: list[dict[str, Any]]) -> Swarm:
    row = {
        "ID": "s",
        "Spec": {"Name": "web", **spec},
        "ServiceStatus": {"RunningTasks": 0, "DesiredTasks": 1},
    }
    return Swarm(
        "active", manager=True, managers=1, services=(msgspec.convert(row, Service),), tasks=msgspec.convert(tasks, tuple[Task, ...])
    )  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "tasks", "fires"),
    [
        pytest.param({"Mode": {"Replicated": {"Replicas": 1}}}, [FAILED], True, id="it fails"),
        pytest.param(
            {"Mode": {"Replicated": {"Replicas": 1}}},
            [COMPLETE],
            True,
            id="it ends and is to be started again",
        ),
        pytest.param(ONCE, [COMPLETE], False, id="it was to run once, and did"),
        pytest.param(ONCE, [FAILED], True, id="it was to run once, and failed"),
        pytest.param({"Mode": {"ReplicatedJob": {}}}, [COMPLETE], False, id="a job that is done"),
    ],
)
def test_services_that_lack_tasks(
    spec: dict[str, Any], tasks: list[dict[str, Any]], fires: bool
) -> None:
    result = judge("swarm.service-underreplicated", swarm=_swarm(spec, tasks), clock=CLOCK)
    assert bool(result.findings) is fires


UNFIT = {
    "ServiceID": "s",
    "Status": {
        "State": "pending",
        "Err": "no suitable node (scheduling constraints not satisfied on 1 node)",
    },
}
DRAINED = {
    "ServiceID": "s",
    "Status": {
        "State": "pending",
        "Err": "no suitable node (1 node not available for new tasks)",
    },
}
ON_SSD = {"TaskTemplate": {"Placement": {"Constraints": ["node.labels.disk==ssd"]}}}


def _node(name: str, availability: str = "active", state: str = "ready", **labels: str) -> Node:
    row = {
        "ID": name,
        "Description": {"Hostname": name},
        "Spec": {"Availability": availability, "Labels": labels},
        "Status": {"State": state},
    }
    return msgspec.convert(row, Node)


CURES = {
    "the only node lacks the label": (
        ON_SSD, UNFIT, [_node("a"), _node("b", state="down")], {"unlabelled": "a", "label": "disk=ssd"},
    ),
    "it has another value": (ON_SSD, UNFIT, [_node("a", disk="hdd")], {"unlabelled": "a", "label": "disk=ssd"}),
    "two nodes are up": (ON_SSD, UNFIT, [_node("a"), _node("b")], {}),
    "a constraint of another kind": (
        {"TaskTemplate": {"Placement": {"Constraints": ["node.role==worker"]}}}, UNFIT, [_node("a")], {},
    ),
    "the only node is drained": ({}, DRAINED, [_node("a", "drain")], {"drained": "a"}),
    "the task fails": (ON_SSD, FAILED, [_node("a")], {}),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "task", "nodes", "cure"), CURES.values(), ids=CURES)
def test_what_makes_a_node_fit(
    spec: dict[str, Any], task: dict[str, Any], nodes: list[Node], cure: dict[str, str]
) -> None:
    swarm = msgspec.structs.replace(_swarm(spec, [task]), nodes=tuple(nodes))
    (finding,) = judge("swarm.service-underreplicated", swarm=swarm, clock=CLOCK).findings
    assert finding.variables == {"service": "web", **cure}


def test_a_service_knows_its_tasks_and_its_failed_update() -> None:
    label = "com.docker.swarm.service.name"
    task = container("web.1.x1", Config={"Labels": {label: "web"}}, Created="2026-01-02T03:04:05Z")
    older = container("web.1.x0", Config={"Labels": {label: "web"}}, Created="2026-01-02T03:04:00Z")
    other = container("api.1.x2", Config={"Labels": {label: "api"}})
    seen = _swarm({}, [FAILED])
    row = {"ID": "s", "Spec": {"Name": "web"}, "ServiceStatus": {"DesiredTasks": 1},
           "UpdateStatus": {"State": "paused", "Message": "update paused due to failure"}}  # fmt: skip
    held = msgspec.structs.replace(seen, services=(msgspec.convert(row, Service),))
    evidence = {"swarm": held, "clock": CLOCK, "containers": of(task, older, other)}
    (found,) = judge("swarm.service-underreplicated", **evidence).findings
    assert found.touches == (task.subject,)
    assert found.evidence["UpdateStatus"] == "paused: update paused due to failure"


@pytest.mark.parametrize(
    ("state", "error", "reason"),
    [
        pytest.param(
            "locked", "Swarm is encrypted and needs to be unlocked", "it is locked", id="locked"
        ),
        pytest.param(
            "error", "x509: certificate has expired", "x509: certificate has expired", id="an error"
        ),
        pytest.param("pending", "", "", id="it joins"),
    ],
)
def test_a_node_that_keeps_itself_out(state: str, error: str, reason: str) -> None:
    findings = judge("swarm.node-down", swarm=Swarm(state, error, manager=False)).findings
    assert bool(findings) is bool(reason)
    assert all(reason in finding.summary for finding in findings)


def _refused(seconds_ago: float, node: str = "n1", path: str = "/srv/conf") -> dict[str, Any]:
    at = datetime.fromtimestamp(CLOCK.wall - seconds_ago, UTC).isoformat()
    error = f'invalid mount config for type "bind": bind source path does not exist: {path}'
    return {
        "ServiceID": "s",
        "NodeID": node,
        "Status": {"State": "rejected", "Err": error, "Timestamp": at},
    }


REFUSED = {
    "three times since the change": ([_refused(15), _refused(10), _refused(5)], "/srv/conf"),
    "by another node": ([_refused(ago, "n2") for ago in (15, 10, 5)], ""),
    "for two folders": ([_refused(9), _refused(7), _refused(5, path="/srv/data")], ""),
    "twice": ([_refused(10), _refused(5)], None),
    "before the change": ([_refused(ago) for ago in (50, 40, 35)], None),
}


@pytest.mark.parametrize(("tasks", "folder"), REFUSED.values(), ids=REFUSED)
def test_refused_tasks_are_no_slow_start(tasks: list[dict[str, Any]], folder: str | None) -> None:
    changed = datetime.fromtimestamp(CLOCK.wall - 30, UTC).isoformat()
    young = _swarm({}, tasks)
    service = msgspec.structs.replace(young.services[0], updated_at=changed)
    swarm = msgspec.structs.replace(young, services=(service,), node_id="n1")
    findings = judge("swarm.service-underreplicated", swarm=swarm, clock=CLOCK).findings
    assert [finding.variables.get("folder", "") for finding in findings] == (
        [] if folder is None else [folder]
    )


def test_the_service_that_holds_the_port_of_the_node() -> None:
    port = {"Protocol": "tcp", "PublishedPort": 8080, "PublishMode": "host"}
    waiting = {"EndpointSpec": {"Ports": [port, {**port, "PublishedPort": 9090}]}}
    error = "no suitable node (host-mode port already in use on 1 node)"
    swarm = _swarm(waiting, [{"ServiceID": "s", "Status": {"State": "pending", "Err": error}}])
    for mode, held in (("host", True), ("ingress", False)):
        spec = {"Name": "proxy", "EndpointSpec": {"Ports": [{**port, "PublishMode": mode}]}}
        holder = msgspec.convert({"ID": "h", "Spec": spec}, Service)
        both = msgspec.structs.replace(swarm, services=(*swarm.services, holder))
        (finding,) = judge("swarm.service-underreplicated", swarm=both, clock=CLOCK).findings
        assert finding.summary.endswith('; port 8080/tcp is held by service "proxy"') is held


RESERVED = {
    "memory": (
        {"MemoryBytes": 200 << 30},
        "200 GiB of memory (the largest node has 24.0 GiB in all)",
    ),
    "processors": ({"NanoCPUs": 4500000000}, "4.5 CPUs (the largest node has 2 in all)"),
    "one processor": ({"NanoCPUs": 1000000000}, "each task reserves 1 CPU (the largest"),
    "nothing": ({}, ""),
}


@pytest.mark.parametrize(("reserved", "words"), RESERVED.values(), ids=RESERVED)
def test_a_reservation_that_no_node_can_keep(reserved: dict[str, int], words: str) -> None:
    error = "no suitable node (insufficient resources on 1 node)"
    spec = {"TaskTemplate": {"Resources": {"Reservations": reserved}}}
    swarm = _swarm(spec, [{"ServiceID": "s", "Status": {"State": "pending", "Err": error}}])
    owned = {"Resources": {"NanoCPUs": 2000000000, "MemoryBytes": 24 << 30}}
    node = msgspec.convert({"ID": "n1", "Description": {"Hostname": "n1", **owned}}, Node)
    swarm = msgspec.structs.replace(swarm, nodes=(node,))
    (finding,) = judge("swarm.service-underreplicated", swarm=swarm, clock=CLOCK).findings
    assert words in finding.summary
    assert ("reserving" in finding.variables) is bool(words)


def test_a_node_that_does_not_say_what_it_has() -> None:
    error = "no suitable node (insufficient resources on 1 node)"
    spec = {"TaskTemplate": {"Resources": {"Reservations": {"MemoryBytes": 8 << 30}}}}
    swarm = _swarm(spec, [{"ServiceID": "s", "Status": {"State": "pending", "Err": error}}])
    swarm = msgspec.structs.replace(swarm, nodes=(msgspec.convert({"ID": "n1"}, Node),))
    (finding,) = judge("swarm.service-underreplicated", swarm=swarm, clock=CLOCK).findings
    assert finding.summary.endswith("each task reserves 8.0 GiB of memory")


EXPIRED = (
    "error while loading TLS certificate in /var/lib/docker/swarm/certificates/swarm-node.crt: "
    "certificate (1 - fce41) not valid after Sun, 30 Aug 2026 00:00:00 UTC, and it is currently "
    "Fri, 27 Nov 2026 21:38:52 UTC: x509: certificate has expired or is not yet valid: "
)
JOINED = (
    'network sandbox join failed: subnet sandbox join failed for "10.200.1.0/24": '
    "error creating vxlan interface: file exists"
)


def test_a_certificate_that_expired_is_said_in_plain_words() -> None:
    swarm = Swarm("error", EXPIRED)
    (finding,) = judge("swarm.node-down", swarm=swarm).findings
    assert "expired on Sun, 30 Aug 2026" in finding.summary
    assert "leave --force" in runbooks.by_hand("swarm.node-down", finding.variables)


@pytest.mark.parametrize(
    ("names", "left"),
    [(["vx-001001-p5k2a"], "vx-001001-p5k2a"), (["flannel.1"], None), ([], None)],
)
def test_interface_that_a_killed_engine_left(names: list[str], left: str | None) -> None:
    task = {"ServiceID": "s", "Status": {"State": "rejected", "Err": JOINED}}
    interfaces = Interfaces(
        tuple(Interface(number, name, kind="vxlan") for number, name in enumerate(names))
    )
    (finding,) = judge(
        "swarm.service-underreplicated",
        swarm=_swarm({}, [task]),
        clock=CLOCK,
        interfaces=interfaces,
    ).findings
    assert finding.variables.get("left") == left
    assert "the network's number" in finding.summary or not left
    assert "flannel" not in finding.summary


def test_the_image_that_a_node_lacks_links_the_service_to_its_pull() -> None:
    task = {"ServiceID": "s", "Status": {"State": "rejected", "Err": "No such image: r:5000/a:1"}}
    (finding,) = judge(
        "swarm.service-underreplicated", swarm=_swarm({}, [task]), clock=CLOCK
    ).findings
    assert Subject("image", "r:5000/a:1") in finding.touches


NO_IPVS = 'time="2026-01-02T03:00:00Z" level=error msg="Could not get ipvs family information from the kernel."'


@pytest.mark.parametrize(
    ("mode", "networks", "there", "expected"),
    [
        ("vip", ["shop"], False, ["web"]),
        ("dnsrr", ["shop"], False, []),
        ("dnsrr", ["ingress"], False, ["web"]),
        ("vip", ["shop"], True, []),
    ],
    ids=["an own address", "no own address", "a port in ingress mode", "a kernel that has it"],
)
def test_a_kernel_without_a_balancer(
    mode: str, networks: list[str], there: bool, expected: list[str]
) -> None:
    task = container(
        "web.1",
        Config={"Labels": {"com.docker.swarm.service.name": "web"}},
        NetworkSettings={"Networks": {network: {} for network in networks}},
    )
    result = judge(
        "swarm.ipvs-missing",
        swarm=_swarm({"EndpointSpec": {"Mode": mode}}, []),
        log=DaemonLog(parse([NO_IPVS]), "journal docker.service"),
        ipvs=Ipvs(there),
        containers=of(task),
    )
    assert [finding.variables["services"] for finding in result.findings] == expected


# -- updates that do not go on ----------------------------------------

PORT = {"Ports": [{"Protocol": "tcp", "PublishedPort": 80, "PublishMode": "host"}]}
PENDING = {
    "ServiceID": "s",
    "Status": {
        "State": "pending",
        "Err": "no suitable node (host-mode port already in use on 1 node)",
    },
}
START_FIRST = {"EndpointSpec": PORT, "UpdateConfig": {"Order": "start-first"}}
LATER = {"ServiceID": "s", "Status": {"State": "running"}}


def _updated(
    spec: dict[str, Any],
    state: str,
    tasks: list[dict[str, Any]],
    age: float = 600,
    running: int = 1,
) -> Swarm:
    """A service whose last update is in this state, and began so many seconds ago."""
    row = {
        "ID": "s",
        "Spec": {"Name": "web", **spec},
        "ServiceStatus": {"RunningTasks": running, "DesiredTasks": 1},
        "UpdateStatus": {"State": state, "Message": "as swarm says it"},
        "UpdatedAt": datetime.fromtimestamp(CLOCK.wall - age, UTC).isoformat(),
    }
    services = (msgspec.convert(row, Service),)
    return Swarm(
        "active", manager=True, services=services, tasks=msgspec.convert(tasks, tuple[Task, ...])
    )


def _failed(age: float) -> dict[str, Any]:
    """A task that ended with an error so many seconds ago; swarm keeps some of them."""
    at = datetime.fromtimestamp(CLOCK.wall - age, UTC).isoformat()
    status = {"State": "failed", "Err": "task: non-zero exit (1)", "Timestamp": at}
    return {"ServiceID": "s", "DesiredState": "shutdown", "Status": status}


UPDATES = {
    "it waits for its own port": (
        _updated(START_FIRST, "updating", [PENDING, LATER]),
        {"service": "web", "port_holder": "web"},
    ),
    "it waits for a node": (_updated({}, "updating", [PENDING, LATER]), {"service": "web"}),
    "paused": (_updated({}, "paused", [FAILED, LATER]), {"service": "web", "held": "web"}),
    "its way back is paused": (_updated({}, "rollback_paused", [LATER]), {"service": "web"}),
    "under way": (_updated({}, "updating", [LATER]), None),
    "under way, and a task ended long ago": (
        _updated({}, "updating", [_failed(900), LATER]), None,
    ),
    "under way, and one task failed since": (
        _updated({}, "updating", [_failed(60), LATER]), None,
    ),
    "its tasks fail again and again": (
        _updated({}, "updating", [*(_failed(age) for age in (60, 120, 180)), LATER]),
        {"service": "web"},
    ),
    "it began a moment ago": (_updated(START_FIRST, "updating", [PENDING], age=30), None),
    "completed": (_updated({}, "completed", [FAILED, LATER]), None),
    "tasks are missing": (_updated({}, "paused", [FAILED], running=0), None),
}  # fmt: skip


@pytest.mark.parametrize(("swarm", "variables"), UPDATES.values(), ids=UPDATES)
def test_updates_that_do_not_go_on(swarm: Swarm, variables: dict[str, str] | None) -> None:
    findings = judge("swarm.update-stuck", swarm=swarm, clock=CLOCK).findings
    assert [finding.variables for finding in findings] == ([] if variables is None else [variables])


def test_an_update_whose_tasks_are_not_known_is_no_pass() -> None:
    swarm = msgspec.structs.replace(
        _updated({}, "updating", []), tasks=Unavailable("timed out", "the tasks")
    )
    assert judge("swarm.update-stuck", swarm=swarm, clock=CLOCK).verdict.value == "unknown"


def test_a_paused_update_is_laid_to_the_task_that_swarm_names() -> None:
    old = _failed(9000)
    new = {**_failed(300), "ID": "t9", "Status": {"State": "failed", "Err": "no such image"}}
    swarm = _updated({}, "paused", [old, old, new, LATER])
    (service,) = swarm.known_services
    said = UpdateStatus("paused", "update paused due to failure or early termination of task t9")
    swarm = msgspec.structs.replace(
        swarm, services=(msgspec.structs.replace(service, update_status=said),)
    )
    (finding,) = judge("swarm.update-stuck", swarm=swarm, clock=CLOCK).findings
    assert finding.evidence["task errors"] == ["no such image"]
    assert "former tasks" not in finding.summary


def _host(*addresses: str) -> Interfaces:
    pairs = [text.split("/") for text in addresses]
    return Interfaces((), tuple(Address(2, ip, int(prefix)) for ip, prefix in pairs))


def _known(address: str, *, manager: bool = True, nodes: int = 1) -> Swarm:
    listed = tuple(Node(id=str(number)) for number in range(nodes)) if manager else ()
    return Swarm("active", manager=manager, node_address=address, managers=1, nodes=listed)


MOVED: dict[str, tuple[Swarm, Interfaces, list[tuple[str, str]]]] = {
    "as it was": (_known("192.0.2.10"), _host("192.0.2.10/24"), []),
    "the only node": (_known("192.0.2.10"), _host("192.0.2.77/24"), [("warning", "address")]),
    "with workers": (
        _known("192.0.2.10", nodes=3),
        _host("192.0.2.77/24"),
        [("critical", "address")],
    ),
    "a worker": (
        _known("192.0.2.10", manager=False),
        _host("127.0.0.1/8", "192.0.2.77/24"),
        [("critical", "former")],
    ),
    "both addresses": (_known("192.0.2.10"), _host("192.0.2.77/24", "192.0.2.10/24"), []),
    "translated by a router": (_known("203.0.113.7"), _host("10.0.0.5/24"), []),
    "IPv6": (_known("2001:db8::1"), _host("2001:db8::2/64"), [("warning", "address")]),
    "no address is known": (_known(""), _host("192.0.2.77/24"), []),
}


@pytest.mark.parametrize(("swarm", "interfaces", "expected"), MOVED.values(), ids=MOVED)
def test_address_of_a_node(
    swarm: Swarm, interfaces: Interfaces, expected: list[tuple[str, str]]
) -> None:
    found = judge("swarm.address-gone", swarm=swarm, interfaces=interfaces).findings
    assert [
        (finding.severity and finding.severity.name, *finding.variables) for finding in found
    ] == expected


UNHEALTHY_TASK = {
    "ServiceID": "s",
    "Status": {
        "State": "failed",
        "Err": "task: non-zero exit (137): dockerexec: unhealthy container",
    },
}
REFUSED = "wget: can't connect to remote host (127.0.0.1): Connection refused"
PROBES: dict[str, tuple[str, int, float, str, str]] = {
    "it starts": (REFUSED, 3, 20, f"20 s after its start: {REFUSED}", "start_period"),
    "it has worked": (REFUSED, 3, 3600, f"fails: {REFUSED}", ""),
    "its probe cannot run": ("sh: curl: not found", 3, 20, '"curl", which the container does not', "unprobed"),
    "it prints nothing": ("", 3, 20, "prints nothing and exits with code 1", "start_period"),
    "it takes too long": ("Health check exceeded timeout (1s)", 3, 20, "its probe does not finish within 1 s", "slow"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("output", "streak", "ran", "said", "variable"), PROBES.values(), ids=PROBES
)
def test_tasks_that_are_ended_for_their_health(
    output: str, streak: int, ran: float, said: str, variable: str
) -> None:
    start, end = 1.8e9 - 60 - ran, 1.8e9 - 60
    probes = [
        {
            "Start": _time(end - 5 * number - 1),
            "End": _time(end - 5 * number),
            "ExitCode": -1 if "timeout" in output else 1,
            "Output": output,
        }
        for number in reversed(range(streak))
    ]
    task = container(
        name="web.1.x",
        Config={"Labels": {"com.docker.swarm.service.name": "web"}, "Healthcheck": {"Test": ["CMD-SHELL", "wget -q localhost"], "Interval": 5_000_000_000, "Timeout": 1_000_000_000}},
        State={"Status": "exited", "Running": False, "Pid": 0, "ExitCode": 137, "StartedAt": _time(start), "FinishedAt": _time(end), "Health": {"Status": "unhealthy", "FailingStreak": streak, "Log": probes}},
    )  # fmt: skip
    (finding,) = judge(
        "swarm.service-underreplicated",
        swarm=_swarm({"Mode": {"Replicated": {"Replicas": 1}}}, [UNHEALTHY_TASK]),
        clock=CLOCK,
        containers=of(task),
    ).findings
    assert said in finding.summary
    assert variable in ("", *finding.variables)
    assert finding.variables.get("longer", "30s") == "30s"
    assert "start_period" not in finding.variables or variable == "start_period"


def test_a_node_elsewhere_knows_only_that_the_health_check_failed() -> None:
    (finding,) = judge(
        "swarm.service-underreplicated",
        swarm=_swarm({"Mode": {"Replicated": {"Replicas": 1}}}, [UNHEALTHY_TASK]),
        clock=CLOCK,
    ).findings
    assert finding.summary.endswith("each task is ended because its health check fails")


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
