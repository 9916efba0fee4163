"""Services that lack tasks, and what keeps their tasks away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from diagnose import runbooks
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.swarm.allocations import failed_allocations
from diagnose.evidence.swarm.swarm import Node, Service, Swarm, Task
from diagnose.model import Subject
from diagnose.questions.images import Network
from tests.checks.swarm.evidence import CLOCK, FAILED, swarm_of
from tests.inspected import container, of
from tests.judging import judge

ONCE = {"TaskTemplate": {"RestartPolicy": {"Condition": "none"}}}
COMPLETE = {"ServiceID": "s", "Status": {"State": "complete"}}


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
    result = judge("swarm.service-underreplicated", swarm=swarm_of(spec, tasks), clock=CLOCK)
    assert bool(result.findings) is fires


def test_a_service_whose_update_was_paused_does_not_start_slowly() -> None:
    row = {
        "ID": "s",
        "Spec": {"Name": "web", "Mode": {"Replicated": {"Replicas": 1}}},
        "ServiceStatus": {"RunningTasks": 0, "DesiredTasks": 1},
        "UpdateStatus": {"State": "paused", "Message": "update paused due to failure"},
        "UpdatedAt": datetime.fromtimestamp(CLOCK.wall - 3, UTC).isoformat(),
    }
    swarm = Swarm(
        "active",
        manager=True,
        services=(msgspec.convert(row, Service),),
        tasks=(msgspec.convert(FAILED, Task),),
    )
    assert judge("swarm.service-underreplicated", swarm=swarm, clock=CLOCK).findings


UNFIT = {
    "ServiceID": "s",
    "Status": {
        "State": "pending",
        "Err": "no suitable node (scheduling constraints not satisfied on 1 node)",
    },
}
DRAINED = {
    "ServiceID": "s",
    "Status": {"State": "pending", "Err": "no suitable node (1 node not available for new tasks)"},
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


def _on(*constraints: str) -> dict[str, Any]:
    return {"TaskTemplate": {"Placement": {"Constraints": list(constraints)}}}


CURES = {
    "the only node lacks the label": (
        ON_SSD, UNFIT, [_node("a"), _node("b", state="down")], {"unlabelled": "a", "label": "disk=ssd"},
    ),
    "it has another value": (ON_SSD, UNFIT, [_node("a", disk="hdd")], {"unlabelled": "a", "label": "disk=ssd"}),
    "two nodes are up": (ON_SSD, UNFIT, [_node("a"), _node("b")], {}),
    "a constraint on the role": (
        _on("node.role==manager"), UNFIT, [_node("a")], {"constrained": "web", "unmet": "node.role==manager"},
    ),
    "another host name": (
        _on("node.hostname == moby"), UNFIT, [_node("a")], {"constrained": "web", "unmet": "node.hostname == moby"},
    ),
    "a label without its prefix": (
        _on("rack==large"), UNFIT, [_node("a", rack="large")],
        {"constrained": "web", "misspelt": "rack==large", "meant": "node.labels.rack==large"},
    ),
    "two constraints that it does not meet": (
        _on("node.hostname==moby", "node.role==manager"), UNFIT, [_node("a")], {},
    ),
    "a constraint that cannot be compared": (_on("engine.labels.rack==large"), UNFIT, [_node("a")], {}),
    "the only node is drained": ({}, DRAINED, [_node("a", "drain")], {"drained": "a"}),
    "the task fails": (ON_SSD, FAILED, [_node("a")], {}),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "task", "nodes", "cure"), CURES.values(), ids=CURES)
def test_what_makes_a_node_fit(
    spec: dict[str, Any], task: dict[str, Any], nodes: list[Node], cure: dict[str, str]
) -> None:
    swarm = msgspec.structs.replace(swarm_of(spec, [task]), nodes=tuple(nodes))
    (finding,) = judge("swarm.service-underreplicated", swarm=swarm, clock=CLOCK).findings
    kind = "ending" if task is FAILED else "stalled"
    assert finding.variables == {"service": "web", kind: "web", **cure}


WAITING = {
    "for a node that fits": ("no suitable node (scheduling constraints not satisfied on 1 node)", 8, {}, True),
    "for a driver": ("no suitable node (missing plugin on 1 node)", 8, {}, True),
    "for a moment": ("no suitable node (scheduling constraints not satisfied on 1 node)", 1, {}, False),
    "for a node that joins": ("no suitable node (1 node not available for new tasks)", 8, {}, False),
    "for the task before it": (
        "no suitable node (insufficient resources on 1 node)", 8, {"State": "updating"}, False,
    ),
}  # fmt: skip
"""What it waits for: the scheduler's words, since when, the update, whether it is found."""


@pytest.mark.parametrize(("error", "waits_s", "update", "fires"), WAITING.values(), ids=WAITING)
def test_a_new_task_waits(error: str, waits_s: float, update: dict[str, str], fires: bool) -> None:
    at = datetime.fromtimestamp(CLOCK.wall - waits_s, UTC).isoformat()
    task = {"ServiceID": "s", "Status": {"State": "pending", "Err": error, "Timestamp": at}}
    young = swarm_of({}, [task])
    row = {**msgspec.to_builtins(young.services[0]), "UpdatedAt": at}
    service = msgspec.convert({**row, "UpdateStatus": update or None}, Service)
    swarm = msgspec.structs.replace(young, services=(service,))
    found = judge("swarm.service-underreplicated", swarm=swarm, clock=CLOCK).findings
    assert bool(found) is fires


def test_a_service_knows_its_tasks_and_its_failed_update() -> None:
    label = "com.docker.swarm.service.name"
    task = container("web.1.x1", Config={"Labels": {label: "web"}}, Created="2026-01-02T03:04:05Z")
    older = container("web.1.x0", Config={"Labels": {label: "web"}}, Created="2026-01-02T03:04:00Z")
    other = container("api.1.x2", Config={"Labels": {label: "api"}})
    seen = swarm_of({}, [FAILED])
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
    young = swarm_of({}, tasks)
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
    swarm = swarm_of(waiting, [{"ServiceID": "s", "Status": {"State": "pending", "Err": error}}])
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
    swarm = swarm_of(spec, [{"ServiceID": "s", "Status": {"State": "pending", "Err": error}}])
    owned = {"Resources": {"NanoCPUs": 2000000000, "MemoryBytes": 24 << 30}}
    node = msgspec.convert({"ID": "n1", "Description": {"Hostname": "n1", **owned}}, Node)
    swarm = msgspec.structs.replace(swarm, nodes=(node,))
    (finding,) = judge("swarm.service-underreplicated", swarm=swarm, clock=CLOCK).findings
    assert words in finding.summary
    assert ("reserving" in finding.variables) is bool(words)


LOKI = {"LogDriver": {"Name": "loki"}}
NFS = {"Type": "volume", "VolumeOptions": {"DriverConfig": {"Name": "netshare"}}}
DRIVERS = {
    "for logs": (LOKI, 'no node has the log driver "loki"', "undriven"),
    "for a volume": (
        {"ContainerSpec": {"Mounts": [NFS]}}, 'no node has the volume driver "netshare"', "driven",
    ),
    "that the node has": ({"LogDriver": {"Name": "json-file"}}, "", ""),
}  # fmt: skip


@pytest.mark.parametrize(("template", "words", "variable"), DRIVERS.values(), ids=DRIVERS)
def test_a_driver_that_no_node_has(template: dict[str, Any], words: str, variable: str) -> None:
    error = "no suitable node (missing plugin on 1 node)"
    swarm = swarm_of(
        {"TaskTemplate": template},
        [{"ServiceID": "s", "Status": {"State": "pending", "Err": error}}],
    )
    plugins = [{"Type": "Log", "Name": "json-file"}, {"Type": "Volume", "Name": "local"}]
    described = {"Hostname": "n1", "Engine": {"Plugins": plugins}}
    node = msgspec.convert({"ID": "n1", "Description": described}, Node)
    swarm = msgspec.structs.replace(swarm, nodes=(node,))
    (finding,) = judge("swarm.service-underreplicated", swarm=swarm, clock=CLOCK).findings
    assert words in finding.summary
    assert set(finding.variables) & {"undriven", "driven"} == ({variable} if variable else set())


def test_a_node_that_does_not_say_what_it_has() -> None:
    error = "no suitable node (insufficient resources on 1 node)"
    spec = {"TaskTemplate": {"Resources": {"Reservations": {"MemoryBytes": 8 << 30}}}}
    swarm = swarm_of(spec, [{"ServiceID": "s", "Status": {"State": "pending", "Err": error}}])
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
    ("names", "left"), [(["vx-001001-p5k2a"], "vx-001001-p5k2a"), (["flannel.1"], None), ([], None)]
)
def test_interface_that_a_killed_engine_left(names: list[str], left: str | None) -> None:
    task = {"ServiceID": "s", "Status": {"State": "rejected", "Err": JOINED}}
    interfaces = Interfaces(
        tuple(Interface(number, name, kind="vxlan") for number, name in enumerate(names))
    )
    (finding,) = judge(
        "swarm.service-underreplicated",
        swarm=swarm_of({}, [task]),
        clock=CLOCK,
        interfaces=interfaces,
    ).findings
    assert finding.variables.get("left") == left
    assert "the network's number" in finding.summary or not left
    assert "flannel" not in finding.summary


def test_the_image_that_a_node_lacks_links_the_service_to_its_pull() -> None:
    task = {"ServiceID": "s", "Status": {"State": "rejected", "Err": "No such image: r:5000/a:1"}}
    (finding,) = judge(
        "swarm.service-underreplicated", swarm=swarm_of({}, [task]), clock=CLOCK
    ).findings
    assert Subject("image", "r:5000/a:1") in finding.touches


TASK, FULL = "1kleuijp15q1juxth0ddaq6wp", "sgx482eys5tezxyhwo0mbnyui"
UNPLACED = {"ID": TASK, "ServiceID": "s", "Status": {"State": "new"}, "DesiredState": "running"}
NO_ADDRESS = (
    'time="2027-01-15T08:00:00Z" level=error msg="task allocation failure" '
    f'error="failed to allocate network IP for task {TASK} network {FULL}: '
    'could not find an available IP" module=node'
)
NETWORK = msgspec.convert(
    {
        "Id": FULL,
        "Name": "shop_default",
        "Driver": "overlay",
        "IPAM": {"Config": [{"Subnet": "10.135.0.0/30"}]},
    },
    Network,
)


@pytest.mark.parametrize(
    ("state", "log", "networks", "variables"),
    [
        ("new", NO_ADDRESS, Networks((NETWORK,)), {"service", "full_network", "larger_network"}),
        ("new", NO_ADDRESS, Networks(()), {"service", "stalled"}),
        ("new", NO_ADDRESS.replace(TASK, "0" * 25), Networks((NETWORK,)), None),
        ("preparing", NO_ADDRESS, Networks((NETWORK,)), None),
    ],
    ids=["full", "network not listed", "of another task", "since given one"],
)
def test_a_young_service_without_an_address(
    state: str, log: str, networks: Networks, variables: set[str] | None
) -> None:
    task = {**UNPLACED, "Status": {"State": state}}
    swarm = swarm_of({"Mode": {"Replicated": {"Replicas": 1}}}, [task])
    assert isinstance(swarm.services, tuple)
    young = msgspec.structs.replace(swarm.services[0], updated_at="2027-01-15T07:59:59Z")
    result = judge(
        "swarm.service-underreplicated",
        swarm=msgspec.structs.replace(swarm, services=(young,)),
        clock=CLOCK,
        allocations=failed_allocations(DaemonLog(parse([log]), "/var/log/docker.log")),
        networks=networks,
    )
    assert [set(finding.variables) for finding in result.findings] == (
        [] if variables is None else [variables]
    )
