"""Swarms of two engines: one in the box, one beside it in the provider's network."""

from __future__ import annotations

import shlex
import time
from typing import Any

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.sweep import CGROUP_PREFIX

SECOND = "/run/second/docker.sock"


def swarm_of_two(box: Box, role: str) -> int:
    """A swarm on the box with a second engine as this role; its pid, for who wants to end it."""
    box.docker(
        "swarm", "init", "--advertise-addr", BOX_ADDRESS, "--default-addr-pool", "10.200.0.0/16"
    )
    token = box.docker("swarm", "join-token", "-q", role).stdout.strip()
    box.provider.sh("mkdir -p /run/second /tmp/second")
    pid = box.provider.spawn(
        ["env", f"PATH={box.engine.path}", "dockerd", "--data-root=/tmp/second", "--exec-root=/run/second/exec",
         "--pidfile=/run/second/pid", "--iptables=false", "--bridge=none", "--storage-driver=vfs", f"--host=unix://{SECOND}",
         # beside the box it would make its control groups at the machine's root, and leave them
         f"--cgroup-parent=/{CGROUP_PREFIX}{box.id}"]
    )  # fmt: skip
    second = ["timeout", "-s", "KILL", "40", "docker", "-H", f"unix://{SECOND}"]
    box.wait_for(
        lambda: box.provider.run([*second, "info"], check=False, timeout=45).returncode == 0,
        what="the second engine",
    )
    box.provider.run(
        [
            *second,
            "swarm",
            "join",
            "--token",
            token,
            "--advertise-addr",
            GATEWAY,
            f"{BOX_ADDRESS}:2377",
        ],
        timeout=45,
    )
    box.wait_for(lambda: box.docker("node", "ls", "-q").stdout.count("\n") == 2, what="two nodes")
    return pid


@fault(
    "swarm.node-down",
    subject="host:*",
    baseline=False,
    also=["swarm.*"],
    first_command=("heals", "on that node, which is not a box of the lab"),
)
def node_down(box: Box) -> None:
    """A worker's engine dies; the manager misses its heartbeats."""
    pid = swarm_of_two(box, "worker")
    box.provider.sh(f"kill -9 {pid}")
    box.wait_for(lambda: "Down" in box.docker("node", "ls").stdout, what="the node to be down")


@fault(
    "swarm.quorum-lost",
    subject="daemon:docker",
    baseline=False,
    also=["swarm.*"],
    first_command=("heals", "on that manager, which is not a box of the lab"),
)
def quorum_lost(box: Box) -> None:
    """One of two managers dies: the other has no majority."""
    pid = swarm_of_two(box, "manager")
    box.provider.sh(f"kill -9 {pid}")
    box.wait_for(
        lambda: "does not have a leader" in box.docker("node", "ls", check=False).stderr,
        what="the loss of the leader",
    )


@fault("swarm.service-underreplicated", subject="daemon:docker", baseline=False)
def service_underreplicated(box: Box) -> None:
    """A service whose constraint no node meets; the host's configuration lets it settle for a
    second only."""
    box.write(
        "/etc/diagnose/lab.toml", '[thresholds."swarm.service-underreplicated"]\nsettle_s = 1\n'
    )
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS)
    box.docker("service", "create", "--detach", "--name", "web", "--replicas", "2", "--constraint", "node.labels.disk==ssd",
               "--limit-memory", "64m", box.image("bb"), "sleep", "1000")  # fmt: skip
    box.wait_for(lambda: "0/2" in box.docker("service", "ls").stdout, what="no replica")
    box.wait_for(
        lambda: "no suitable node" in box.docker("service", "ps", "--no-trunc", "web").stdout,
        what="the reason",
    )
    time.sleep(
        1.5
    )  # the second in which it may still be starting, past whatever the manager wrote last


@fault("swarm.service-underreplicated", subject="daemon:docker", baseline=False)
def folder_of_a_service_missing(box: Box) -> None:
    """A service binds a folder that its node does not have, and each of its tasks is refused."""
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS)
    mount = "type=bind,source=/srv/web-conf,target=/etc/web"
    limits = ("--detach", "--no-resolve-image", "--limit-memory=64m", "--restart-delay=1s")
    box.docker("service", "create", *limits, "--name=web", "--mount", mount, box.image("bb:1.36"), "sleep", "1000")  # fmt: skip

    def refused() -> bool:
        return box.docker("service", "ps", "--no-trunc", "web").stdout.count("Rejected") >= 3

    box.wait_for(refused, what="three refused tasks")


_CLOSED = (
    "iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -p tcp --dport 22 -j ACCEPT; "
    "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; {}"
    "iptables -A INPUT -i eth0 -p tcp -j DROP; iptables -A INPUT -i eth0 -p udp -j DROP"
)


@fault("swarm.ports-closed", subject="daemon:docker", baseline=False, also=["swarm.*"])
def ports_of_a_swarm_closed_on_this_host(box: Box) -> None:
    """The rules of a manager let nothing in but SSH: the other node stays only as long as its
    connections do."""
    swarm_of_two(box, "worker")
    box.sh(_CLOSED.format(""))
    run = box.diagnose("check", "swarm.ports-closed")
    assert "2377/tcp, 7946/tcp, 7946/udp and 4789/udp" in run.joined, run.out


@healthy(baseline=False)
def ports_of_a_swarm_open_to_its_node(box: Box) -> None:
    """The same rules, and one before them for all that the other node sends."""
    swarm_of_two(box, "worker")
    box.sh(_CLOSED.format(f"iptables -A INPUT -s {GATEWAY} -j ACCEPT; "))


_WITH_DRIVER = ("--detach", "--no-resolve-image", "--limit-memory=64m", "--name=web")


@fault("swarm.service-underreplicated", subject="daemon:docker", baseline=False)
def log_driver_of_a_service_missing(box: Box) -> None:
    """A service logs by a plugin that no node has, and its task waits for ever."""
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS)
    words = ("--log-driver=loki", box.image("bb:1.36"), "sleep", "1000")
    box.docker("service", "create", *_WITH_DRIVER, *words)

    def waits() -> bool:
        return "missing plugin" in box.docker("service", "ps", "--no-trunc", "web").stdout

    box.wait_for(waits, what="the reason")
    box.sh("sleep 6")  # a task may wait for so long for a node that fits
    run = box.diagnose("check", "swarm.service-underreplicated")
    assert 'log driver "loki"' in run.joined, run.out
    assert "--log-driver json-file web" in run.joined, run.out


_PROMPT = '[thresholds."swarm.service-underreplicated"]\nsettle_s = 1\n'


@fault("swarm.service-underreplicated", subject="daemon:docker", baseline=False)
def reservation_beyond_the_node(box: Box) -> None:
    """Each task of a service reserves more memory than the node has."""
    box.write("/etc/diagnose/lab.toml", _PROMPT)
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS)
    limits = ("--detach", "--no-resolve-image", "--limit-memory=4T", "--reserve-memory=3T")
    box.docker("service", "create", *limits, "--name=web", box.image("bb:1.36"), "sleep", "1000")
    box.wait_for(
        lambda: "insufficient resources" in box.docker("service", "ps", "--no-trunc", "web").stdout,
        what="the reason",
    )
    time.sleep(1.5)  # past the second in which it may still be starting


def _wait_for_refusal(box: Box, service: str) -> None:
    """Until the scheduler has had no node for a task of the service for some seconds."""
    form = ("service", "ps", "--no-trunc", "--format", "{{.Error}}", service)
    box.wait_for(
        lambda: "scheduling constraints" in box.docker(*form).stdout, what="the scheduler's reason"
    )

    def found() -> bool:
        run = box.diagnose("check", "swarm.service-underreplicated", "--format", "json")
        return any(finding["service"] == f"swarm {service}" for finding in run.findings)

    box.wait_for(found, what="the finding")


def _constrained(box: Box, name: str, constraint: str) -> None:
    limits = ("--detach", "--no-resolve-image", "--limit-memory=16m", f"--name={name}")
    box.docker("service", "create", *limits, f"--constraint={constraint}", box.image("bb:1.36"), "sleep", "1000")  # fmt: skip


@fault("swarm.service-underreplicated", subject="daemon:docker", baseline=False)
def constraint_without_its_prefix(box: Box) -> None:
    """A constraint on a label lacks `node.labels.`: found within seconds, and the command starts
    the tasks of another service that has the same."""
    pool = ("--default-addr-pool", "10.200.0.0/16")
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS, *pool)
    node = box.docker("node", "ls", "-q").stdout.strip()
    box.docker("node", "update", "--label-add", "rack=large", node)
    for name in ("racked", "shelved"):
        _constrained(box, name, "rack==large")
        _wait_for_refusal(box, name)
    cure = _findings(box)["swarm shelved"]["fix"][0]["command"]
    assert "node.labels.rack==large" in cure, cure
    box.sh(cure, timeout=40)
    served = ("service", "ls", "--filter=name=shelved", "--format={{.Replicas}}")
    box.wait_for(lambda: box.docker(*served).stdout.startswith("1/1"), 120, "the service")


@fault("swarm.service-underreplicated", subject="daemon:docker", baseline=False)
def constraint_on_another_host_name(box: Box) -> None:
    """A file that was written for another machine names that machine in a constraint."""
    pool = ("--default-addr-pool", "10.200.0.0/16")
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS, *pool)
    _constrained(box, "monitor", "node.hostname == moby")
    _wait_for_refusal(box, "monitor")
    (finding,) = _findings(box).values()
    assert "--constraint-rm" in finding["fix"][0]["command"], finding


@healthy(baseline=False)
def constraint_that_the_node_meets(box: Box) -> None:
    """The same service with the prefix."""
    pool = ("--default-addr-pool", "10.200.0.0/16")
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS, *pool)
    node = box.docker("node", "ls", "-q").stdout.strip()
    box.docker("node", "update", "--label-add", "rack=large", node)
    _constrained(box, "racked", "node.labels.rack==large")
    box.wait_for(lambda: "1/1" in box.docker("service", "ls").stdout, what="the task")


def _service_on(box: Box, subnet: str) -> None:
    """A swarm with a service of two tasks on an overlay network of this size."""
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS)
    box.docker("network", "create", "-d", "overlay", "--subnet", subnet, "shop_default")
    limits = (
        "--detach",
        "--no-resolve-image",
        "--limit-memory=64m",
        "--network=shop_default",
        "--endpoint-mode=dnsrr",
    )
    box.docker("service", "create", *limits, "--replicas=2", "--name=web", box.image("bb:1.36"), "sleep", "1000")  # fmt: skip


@fault("swarm.service-underreplicated", subject="daemon:docker", baseline=False)
def network_without_an_address_for_a_task(box: Box) -> None:
    """The subnet of an overlay network has no room for two tasks."""
    _service_on(box, "10.135.0.0/30")
    box.wait_for(
        lambda: "could not find an available IP" in box.log_tail(500), what="the leader's refusal"
    )


@healthy(baseline=False)
def network_with_an_address_for_each_task(box: Box) -> None:
    """The same service on a larger network."""
    _service_on(box, "10.135.0.0/28")
    box.wait_for(lambda: "2/2" in box.docker("service", "ls").stdout, what="both tasks")


@fault("swarm.node-down", subject="daemon:docker", baseline=False, exit_code=2)
def locked(box: Box) -> None:
    """A manager of a swarm with autolock was restarted, and nobody has given it the key."""
    box.docker(
        "swarm", "init", "--advertise-addr", BOX_ADDRESS, "--autolock", "--default-addr-pool",
        "10.200.0.0/16",
    )  # fmt: skip
    box.stop_engine()
    box.start_engine()
    box.wait_for(
        lambda: "encrypted" in box.docker("node", "ls", check=False).stderr, what="the lock"
    )


@healthy(baseline=False)
def ran_once(box: Box) -> None:
    """A service whose only task ran to its end and is not to be started again lacks nothing; the
    pull that swarm tries although the image is here harms nobody."""
    box.write(
        "/etc/diagnose/lab.toml", '[thresholds."swarm.service-underreplicated"]\nsettle_s = 1\n'
    )
    box.docker(
        "swarm", "init", "--advertise-addr", BOX_ADDRESS, "--default-addr-pool", "10.200.0.0/16"
    )
    limits = ("--detach", "--no-resolve-image", "--limit-memory=16m", "--restart-condition=none")
    box.docker("service", "create", *limits, "--name=migrate", box.image("bb:1.36"), "true")
    box.wait_for(
        lambda: "Complete" in box.docker("service", "ps", "migrate").stdout, what="the task to end"
    )
    assert "0/1" in box.docker("service", "ls").stdout
    time.sleep(1.5)  # past the second in which it may still be starting


@healthy()
def drained_node(box: Box) -> None:
    """A worker that was drained before it was taken down."""
    pid = swarm_of_two(box, "worker")
    name = box.docker("node", "ls", "--filter", "role=worker", "--format", "{{.ID}}").stdout.strip()
    box.docker("node", "update", "--availability", "drain", name)
    box.provider.sh(f"kill -9 {pid}")
    box.wait_for(lambda: "Down" in box.docker("node", "ls").stdout, what="the node to be down")


_MOVED = "192.0.2.77"


def _readdress(box: Box, former: str, address: str) -> None:
    """Start the engine anew with another address of its network, and wait for its swarm."""
    box.stop_engine()
    box.sh(f"ip addr del {former}/24 dev eth0; ip addr add {address}/24 dev eth0")
    box.sh(f"ip route replace default via {GATEWAY}")
    box.start_engine()
    _wait_for_a_leader(box)


def _wait_for_a_leader(box: Box) -> None:
    listed = ("node", "ls", "-q")
    box.wait_for(lambda: box.docker(*listed, check=False).returncode == 0, what="the leader")


@fault("swarm.address-gone", subject="daemon:docker", baseline=False)
def another_address_after_a_reboot(box: Box) -> None:
    """DHCP gave the only manager another address; the command has the swarm know it."""
    _swarm(box)
    _readdress(box, BOX_ADDRESS, _MOVED)
    form = ("info", "--format", "{{.Swarm.NodeAddr}}")
    assert box.docker(*form).stdout.strip() == BOX_ADDRESS
    (finding,) = box.diagnose("check", "swarm.address-gone", "--format", "json").findings
    box.sh(finding["fix"][0]["command"], timeout=60)
    assert box.docker(*form).stdout.strip() == _MOVED
    _wait_for_a_leader(box)
    assert not box.diagnose("check", "swarm.address-gone", "--format", "json").findings
    _readdress(box, _MOVED, BOX_ADDRESS)


@healthy(baseline=False)
def address_that_a_router_translates(box: Box) -> None:
    """A manager in a cloud announces its public address, which no interface has."""
    pool = ("--default-addr-pool", "10.200.0.0/16")
    box.docker("swarm", "init", "--advertise-addr", "203.0.113.7", *pool)


_PROBE = "nc 127.0.0.1 8080 </dev/null"
_AT_ONCE = "exec httpd -f -p 8080 -h /"
_SLOW = f"sleep 45; {_AT_ONCE}"
_PROBED = (
    "--health-interval=1s", "--health-retries=3", "--health-timeout=2s", "--restart-delay=1s",
)  # fmt: skip


def _swarm(box: Box) -> None:
    """A swarm of the box alone, whose services are judged at once."""
    box.write("/etc/diagnose/lab.toml", _PROMPT)
    pool = ("--default-addr-pool", "10.200.0.0/16")
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS, *pool)


def _probed(box: Box, name: str, probe: str, *options: str, serves: str = _SLOW) -> None:
    """A service with this health check, whose server listens after 45 seconds."""
    limits = ("--detach", "--no-resolve-image", "--limit-memory=16m", f"--name={name}")
    image = box.image("bb:1.36")
    box.docker("service", "create", *limits, *_PROBED, *options, "--health-cmd", probe, image, "sh", "-c", serves)  # fmt: skip


def _wait_for_ended_tasks(box: Box, name: str) -> None:
    def ended() -> bool:
        return "unhealthy container" in box.docker("service", "ps", "--no-trunc", name).stdout

    box.wait_for(ended, 90, f"an ended task of {name}")


def _findings(box: Box) -> dict[str, dict[str, Any]]:
    """By the service."""
    run = box.diagnose("check", "swarm.service-underreplicated", "--format", "json")
    return {finding["service"]: finding for finding in run.findings}


@fault(
    "swarm.service-underreplicated",
    subject="daemon:docker",
    baseline=False,
    also=["swarm.service-underreplicated", "container.*", "image.registry-unreachable"],
)
def tasks_ended_while_they_start(box: Box) -> None:
    """Two servers listen later than their health check allows, so that each task is ended; the
    command gives one of them a start period."""
    _swarm(box)
    for name in ("mail", "shop"):
        _probed(box, name, _PROBE)
    for name in ("mail", "shop"):
        _wait_for_ended_tasks(box, name)
    finding = _findings(box)["swarm mail"]
    assert "its health check fails" in finding["summary"], finding
    assert "Connection refused" in finding["summary"], finding
    box.sh(finding["fix"][0]["command"], timeout=40)
    served = ("service", "ls", "--filter=name=mail", "--format={{.Replicas}}")
    box.wait_for(lambda: box.docker(*served).stdout.startswith("1/1"), 180, "the service")


@fault(
    "swarm.service-underreplicated",
    subject="daemon:docker",
    baseline=False,
    also=["container.*", "image.registry-unreachable"],
)
def probe_without_its_program(box: Box) -> None:
    """The health check of a service runs curl, which its image does not have."""
    _swarm(box)
    _probed(box, "shop", "curl -f http://127.0.0.1:8080/ || exit 1")
    _wait_for_ended_tasks(box, "shop")
    finding = _findings(box)["swarm shop"]
    assert 'runs "curl", which the container does not have' in finding["summary"], finding
    assert "--no-healthcheck" in finding["fix"][0]["command"], finding


@fault(
    "swarm.service-underreplicated",
    subject="daemon:docker",
    baseline=False,
    also=["swarm.service-underreplicated", "container.*", "image.registry-unreachable"],
)
def probes_that_take_too_long(box: Box) -> None:
    """The probes of two services take longer than their timeout; the command gives one of them
    more time."""
    _swarm(box)
    for name in ("mail", "shop"):
        _probed(box, name, f"sleep 4; {_PROBE}", serves=_AT_ONCE)
    for name in ("mail", "shop"):
        _wait_for_ended_tasks(box, name)
    finding = _findings(box)["swarm mail"]
    assert "its probe does not finish within 2 s" in finding["summary"], finding
    assert "--health-timeout 30s" in finding["fix"][0]["command"], finding
    box.sh(finding["fix"][0]["command"], timeout=40)
    served = ("service", "ls", "--filter=name=mail", "--format={{.Replicas}}")
    box.wait_for(lambda: box.docker(*served).stdout.startswith("1/1"), 180, "the service")


@healthy(baseline=False)
def slow_start_within_its_period(box: Box) -> None:
    """The same server with a start period."""
    _swarm(box)
    _probed(box, "shop", _PROBE, "--health-start-period=200s")
    served = ("service", "ls", "--format={{.Replicas}}")
    box.wait_for(lambda: box.docker(*served).stdout.startswith("1/1"), 180, "the service")
    time.sleep(1.5)  # past the second in which it may still be starting


_SETTLED = '[thresholds."swarm.update-stuck"]\nsettle_s = 1\n'


def _edge(box: Box, order: str) -> None:
    """A service in host mode on the one node of a swarm, and an update of it."""
    box.write("/etc/diagnose/lab.toml", _SETTLED)
    pool = ("--default-addr-pool", "10.200.0.0/16")
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS, *pool)
    options = ("--detach", "--no-resolve-image", "--limit-memory=64m", f"--update-order={order}")
    port = "--publish=mode=host,target=8080,published=80"
    box.docker("service", "create", *options, "--name=edge", port, box.image("shop:1.4"))
    box.wait_for(lambda: "1/1" in box.docker("service", "ls").stdout, what="the service")
    box.docker("service", "update", "--detach", "--no-resolve-image", "--env-add=NEW=1", "edge")


def _update_of(box: Box) -> str:
    """The state of the service's last update."""
    form = "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}"
    return box.docker("service", "inspect", "--format", form, "edge").stdout.strip()


@fault("swarm.update-stuck", subject="daemon:docker", baseline=False)
def update_that_waits_for_its_own_port(box: Box) -> None:
    """A new task waits for the port of the node that the task before it holds; the command ends
    that."""
    _edge(box, "start-first")

    def waits() -> bool:
        return "host-mode port" in box.docker("service", "ps", "--no-trunc", "edge").stdout

    box.wait_for(waits, what="the reason")
    time.sleep(1.5)  # past the second in which it may still be starting
    (finding,) = box.diagnose("check", "swarm.update-stuck", "--format", "json").findings
    box.sh(finding["fix"][0]["command"], timeout=40)
    box.wait_for(lambda: _update_of(box) == "completed", what="the update")
    again = ("--no-resolve-image", "--update-order=start-first", "--env-add=AGAIN=1")
    box.docker("service", "update", "--detach", *again, "edge")
    box.wait_for(lambda: _update_of(box) == "updating" and waits(), what="the reason again")
    time.sleep(1.5)


@healthy(baseline=False)
def update_that_ends_the_former_task_first(box: Box) -> None:
    """The same service with the order stop-first: its update goes through."""
    _edge(box, "stop-first")
    box.wait_for(lambda: _update_of(box) == "completed", what="the update")


_BROKEN = ("sh", "-c", "echo 'FATAL cannot read the prices'; exit 1")


def _released(box: Box, *options: str) -> None:
    """A service that goes back by itself, and an update of it to a new image with these options."""
    pool = ("--default-addr-pool", "10.200.0.0/16")
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS, *pool)
    usual = ("--detach", "--no-resolve-image")
    limits = ("--limit-memory=64m", "--limit-pids=64", "--restart-delay=1s")
    back = ("--update-failure-action=rollback", "--update-monitor=3s")
    box.docker("service", "create", *usual, *limits, *back, "--name=edge", box.image("shop:1.4"))
    box.wait_for(lambda: "1/1" in box.docker("service", "ls").stdout, what="the service")
    box.docker("tag", "shop:1.4", "shop:1.5")
    box.docker("service", "update", *usual, "--image=shop:1.5", *options, "edge")


@fault("swarm.update-stuck", subject="daemon:docker", baseline=False, also=["container.*"])
def update_that_swarm_took_back(box: Box) -> None:
    """The new version ends at its start: swarm goes back to the former one, and all looks well."""
    _released(box, "--args", shlex.join(_BROKEN))
    box.wait_for(lambda: _update_of(box) == "rollback_completed", 90, "the way back")
    (finding,) = box.diagnose("check", "swarm.update-stuck", "--format", "json").findings
    assert "to image shop:1.5 was rolled back" in finding["summary"], finding
    lines = box.diagnose("check", "swarm.update-stuck", env={"COLUMNS": "200"}).out.splitlines()
    (look,) = [line for line in lines if "docker service logs" in line]
    assert "cannot read the prices" in box.sh(look, timeout=40)


@healthy(baseline=False)
def update_that_went_through(box: Box) -> None:
    """The same service, whose new version runs."""
    _released(box, "--env-add=NEW=1")
    box.wait_for(lambda: _update_of(box) == "completed", 90, "the update")


@fault(
    "network.port-allocated",
    subject="container:edge.1.*",
    baseline=False,
    also=["swarm.service-underreplicated"],
)
def task_whose_port_another_container_has(box: Box) -> None:
    """Swarm makes task after task, and each is refused: one cause, one block."""
    pool = ("--default-addr-pool", "10.200.0.0/16")
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS, *pool)
    box.docker("run", "-d", "--name=former", *QUIET, "-p", "8080:8080", box.image("shop:1.4"))
    options = ("--detach", "--no-resolve-image", "--limit-memory=64m", "--restart-delay=1s")
    port = "--publish=mode=host,target=8080,published=8080"
    box.docker("service", "create", *options, "--name=edge", port, "shop:1.4")

    def refused() -> bool:
        said = box.docker("service", "ps", "--no-trunc", "edge").stdout
        return said.count("port is already allocated") >= 3

    box.wait_for(refused, 90, "three refused tasks")
    report = box.diagnose("all", "--format", "json").report
    roots = [
        finding["id"]
        for finding in report["findings"]
        if finding["root"] and finding["severity"] == "critical"
    ]
    assert roots == ["network.port-allocated"], roots
    (finding,) = box.diagnose("check", "network.port-allocated", "--format", "json").findings
    box.sh(finding["fix"][0]["command"], timeout=60)
    box.wait_for(lambda: "1/1" in box.docker("service", "ls").stdout, what="the service")
    box.docker("service", "rm", "edge")
    left = ("ps", "--all", "-q", "--filter=name=edge.1")
    box.wait_for(lambda: not box.docker(*left).stdout, what="the tasks to be gone")
    box.docker("start", "former")
    box.docker("service", "create", *options, "--name=edge", port, "shop:1.4")
    box.wait_for(refused, 90, "three refused tasks again")


@fault("container.variable-missing", subject="container:pay51.1.*", baseline=False, also=["*"])
def variable_of_a_service_missing(box: Box) -> None:
    """Each task of a service ends for a variable; the first command gives it to the service."""
    box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS)
    limits = ("--detach", "--no-resolve-image", "--limit-memory=64m", "--restart-delay=1s")
    script = ("sh", "-c", ": ${PAYMENT_KEY:?}; exec sleep 1000")
    tasks = ("service", "ps", "--no-trunc", "pay51")

    def fail() -> None:
        box.docker("service", "create", *limits, "--name=pay51", box.image("bb:1.36"), *script)
        box.wait_for(lambda: box.docker(*tasks).stdout.count("Failed") >= 3, what="failed tasks")

    fail()
    findings = box.diagnose("all", "--format", "json").findings
    roots = [found for found in findings if found["root"] and found["severity"] == "critical"]
    root = next(found for found in roots if found["id"] == "container.variable-missing")
    assert not [found for found in roots if found["id"].startswith("swarm.")]
    command = root["fix"][0]["command"]
    assert "service update --detach --env-add PAYMENT_KEY pay51" in command
    box.sh(f"echo made-up | {{ {command}; }}")
    box.wait_for(lambda: "1/1" in box.docker("service", "ls").stdout, what="a task that runs")
    box.docker("service", "rm", "pay51")
    box.wait_for(lambda: not box.docker("ps", "-aq").stdout, what="its tasks to go")
    fail()
