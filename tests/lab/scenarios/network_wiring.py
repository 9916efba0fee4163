"""Networks that are configured in a way that cannot work, and healthy ones that look like them."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY
from tests.lab.runner import PATIENT, healthy_container
from tests.lab.scenarios.programs.helpers import MACHINE

QUIET = ["--memory=64m", "--pids-limit=64", "--user=1000:1000"]
FETCH = ["timeout", "2", "wget", "-qO-"]


@fault("network.published-on-internal", subject="container:unreached", shareable=True)
def port_on_an_internal_network(box: Box) -> None:
    """A container publishes a port and is on an internal network alone: the engine publishes
    nothing."""
    box.docker("network", "create", "--internal", "lockednet")
    healthy_container(box, "unreached", 18220, "--net=lockednet")
    assert box.inspect("unreached")["NetworkSettings"]["Ports"] in ({}, {"8080/tcp": None})
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18220/", check=False) == ""


@healthy(shareable=True)
def port_on_a_second_network(box: Box) -> None:
    """A container is on an internal network and on an ordinary one, and is reached by the
    latter."""
    box.docker("network", "create", "--internal", "backroom")
    healthy_container(box, "bothnets", 18221)
    box.docker("network", "connect", "backroom", "bothnets")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18221/") == "hello\n"


@fault(
    "network.mac-duplicate",
    subject="network:twinnet",
    shareable=True,
    also=[("container.unhealthy", "container:twin*")],
)
def two_of_one_mac(box: Box) -> None:
    """Two containers were given the same MAC address: the bridge sends to the one that spoke
    last."""
    box.docker("network", "create", "twinnet")
    for name, port in (("twin1", 18222), ("twin2", 18223)):
        healthy_container(box, name, port, "--net=twinnet", "--mac-address=02:42:ac:99:00:07")
    ends = {
        name: box.inspect(name)["NetworkSettings"]["Networks"]["twinnet"]
        for name in ("twin1", "twin2")
    }
    fetch = ["curl", "-sS", "-m", "0.9", f"http://{ends['twin1']['IPAddress']}:8080/"]
    assert box.run(fetch).stdout == "hello\n"  # the host knows the address of the first one now
    pid = box.inspect("twin2")["State"]["Pid"]
    box.run(
        [
            "nsenter",
            "-t",
            str(pid),
            "-n",
            "busybox",
            "ping",
            "-c",
            "1",
            "-W",
            "1",
            ends["twin2"]["Gateway"],
        ],
        check=False,
    )
    assert box.run(fetch, check=False).returncode != 0


@fault(
    "network.proxy-orphaned",
    subject="host:host",
    shareable=True,
    expect=[("network.port-held-by-process", "container:waiting")],
)
def proxy_of_nobody(box: Box) -> None:
    """A docker-proxy is left behind by an engine that was killed, and keeps a container from its
    port."""
    target = (
        "-proto tcp -host-ip 0.0.0.0 -host-port 18224 -container-ip 172.17.0.249 -container-port 80"
    )
    box.spawn(["sh", "-c", f"PATH=$PATH:{box.engine.path} exec docker-proxy {target} 3>/dev/null"])
    box.wait_for(lambda: ":18224" in box.run(["ss", "-ltn"]).stdout, what="the proxy to listen")
    refused = box.docker(
        "run", "-d", "--name=waiting", *QUIET, "-p", "18224:8080", "shop:1.4", check=False
    )
    assert "address already in use" in refused.stderr


@fault("network.macvlan-host-unreachable", subject="container:camera", shareable=True)
def macvlan_that_the_host_calls(box: Box) -> None:
    """The host calls a container on a macvlan network of its own interface; another machine reaches
    it."""
    subnet = ["--subnet=192.0.2.0/24", f"--gateway={GATEWAY}", "--ip-range=192.0.2.128/28"]
    box.docker("network", "create", "-d", "macvlan", "-o", "parent=eth0", *subnet, "lan")
    healthy_container(box, "camera", 18225, "--net=lan", "--ip=192.0.2.130")
    assert box.provider.curl("http://192.0.2.130:8080/") == "hello\n"
    call = ["curl", "-sS", "-m", "2", "http://192.0.2.130:8080/"]
    assert box.run(call, check=False).returncode != 0
    # the kernel soon forgets a call that failed
    box.spawn(["sh", "-c", f"while :; do {' '.join(call)}; sleep 2; done"])


_TO_THE_HOST = f"while :; do nc -w 2 {BOX_ADDRESS} 18244 </dev/null; sleep 1; done"


def _calls_its_host(box: Box, name: str) -> None:
    """A container on a macvlan network of the host's own interface, which calls the host."""
    subnet = ["--subnet=192.0.2.0/24", f"--gateway={GATEWAY}", "--ip-range=192.0.2.144/28"]
    box.docker("network", "create", "-d", "macvlan", "-o", "parent=eth0", *subnet, "homes")
    box.spawn(["busybox", "nc", "-ll", "-p", "18244", "-e", "cat"])
    words = ("--net=homes", "--ip=192.0.2.150", "bb:1.36", "sh", "-c", _TO_THE_HOST)
    box.docker("run", "-d", f"--name={name}", *QUIET, *words)


@fault("network.macvlan-host-unreachable", subject="container:hub", also=["container.*"])
def macvlan_that_calls_its_own_host(box: Box) -> None:
    """A container on a macvlan network calls a program of its own host, and never reaches it."""
    _calls_its_host(box, "hub")
    pid = box.inspect("hub")["State"]["Pid"]
    box.wait_for(lambda: BOX_ADDRESS in box.read(f"/proc/{pid}/net/arp"), what="the call")
    assert f"{BOX_ADDRESS}       0x1         0x0" in box.read(f"/proc/{pid}/net/arp")


@healthy()
def macvlan_that_calls_its_own_host_by_a_shim(box: Box) -> None:
    """The same with an interface of the host on the same parent, as the report's command makes
    it."""
    _calls_its_host(box, "hub")
    box.sh(f"""
        ip link add diagnose-shim link eth0 type macvlan mode bridge
        ip addr add {BOX_ADDRESS}/32 dev diagnose-shim; ip link set diagnose-shim up
        ip route replace 192.0.2.150/32 dev diagnose-shim
    """)
    call = ["nc", "-w", "3", BOX_ADDRESS, "18244"]
    box.wait_for(
        lambda: box.docker("exec", "hub", *call, check=False).returncode == 0, what="the host"
    )


@fault(
    "network.parent-down",
    subject="network:lan",
    also=[
        ("dns.upstream-unreachable", "network:lan"),
        ("network.gateway-unanswered", "network:lan"),
    ],
)
def macvlan_on_an_interface_that_is_down(box: Box) -> None:
    """The parent of a macvlan network is set down: its container reaches nobody."""
    box.sh(
        "ip link add cable0 type veth peer name cable1; ip link set cable1 up; ip link set cable0 up"
    )
    box.docker(
        "network", "create", "-d", "macvlan", "--subnet=203.0.113.0/24", "-o", "parent=cable0",
        "lan",
    )  # fmt: skip
    box.docker(
        "run", "-d", "--name", "camera", "--network=lan", "-m", "32m", "bb:1.36", "sleep", "1000"
    )
    box.sh("ip link set cable0 down")


@healthy(shareable=True)
def macvlan_with_a_shim(box: Box) -> None:
    """The host has a shim interface beside its macvlan network, and reaches one container by it;
    nobody calls the other."""
    subnet = ["--subnet=192.0.2.0/24", f"--gateway={GATEWAY}", "--ip-range=192.0.2.128/28"]
    box.docker("network", "create", "-d", "macvlan", "-o", "parent=eth0", *subnet, "lan")
    healthy_container(box, "camera", 18226, "--net=lan", "--ip=192.0.2.130")
    healthy_container(box, "recorder", 18227, "--net=lan", "--ip=192.0.2.131")
    box.sh(f"""
        ip link add shim link eth0 type macvlan mode bridge
        ip addr add {BOX_ADDRESS}/32 dev shim; ip link set shim up; ip route add 192.0.2.130/32 dev shim
    """)
    assert box.run(["curl", "-sS", "-m", "2", "http://192.0.2.130:8080/"]).stdout == "hello\n"
    assert box.provider.curl("http://192.0.2.131:8080/") == "hello\n"


@fault(
    "network.host-port-conflict",
    subject="container:hostdns",
    shareable=True,
    also=[("container.*", "container:hostdns")],
)
def port_53_held_by_the_stub(box: Box) -> None:
    """A DNS server with host networking loops: the host's stub resolver has port 53."""
    stub = (
        "--conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --keep-in-foreground"
    )
    box.sh("cp $(command -v dnsmasq) /opt/systemd-resolve")
    box.spawn(
        [
            "/opt/systemd-resolve",
            *stub.split(),
            "--listen-address=127.0.0.53",
            "--bind-interfaces",
            "--server=192.0.2.53",
        ]
    )
    box.wait_for(
        lambda: "127.0.0.53:53" in box.run(["ss", "-lnu"]).stdout, what="the stub to listen"
    )
    script = (
        "echo 'dnsmasq: failed to create listening socket for port 53: Address in use' >&2; exit 2"
    )
    options = ["--restart=always", "--net=host", "--memory=64m", "--pids-limit=64"]
    box.docker("run", "-d", "--name=hostdns", *options, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: box.inspect("hostdns")["RestartCount"] >= 2, what="the server to loop")


CHATTY_CLIENT = """
import socket, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind(("0.0.0.0", 4444))
while True:
    client.sendto(b"x", ("192.0.2.10", 18230))
    time.sleep(0.05)
"""
"""A client that sends from one port all the time, as syslog and SIP clients do."""


def restart_under_a_client(box: Box) -> None:
    """A client sends while nobody has the port; then the container that publishes the port
    starts."""
    box.provider.spawn(["python3", "-c", CHATTY_CLIENT])
    box.sh("sleep 0.3")
    box.docker(
        "run", "-d", "--name=collector", *QUIET, "-p", "18230:5140/udp", box.image("bb:1.36"),
        "sleep", "1000",
    )  # fmt: skip


@fault(
    "network.udp-flow-stale",
    subject="container:collector",
    baseline=False,
    engines=Engines(until=22),
    config={"userland-proxy": False},
)
def client_from_before_the_start(box: Box) -> None:
    """A client's flow from before the container's start keeps its packets from the container."""
    restart_under_a_client(box)
    pid = box.inspect("collector")["State"]["Pid"]
    assert (
        "4444"
        not in box.run(
            ["nsenter", "-t", str(pid), "-n", "cat", "/proc/net/nf_conntrack"], check=False
        ).stdout
    )
    assert "sport=18230 dport=4444" in box.run(["conntrack", "-L", "-p", "udp"]).stdout


_SAYS_WHO_SENT = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 5140))
while True:
    print(server.recvfrom(99)[1][0], flush=True)
"""


@fault("network.udp-flow-stale", subject="container:senders", baseline=False)
def client_from_before_the_rule(box: Box) -> None:
    """A client began to send while the port's rule was away: docker-proxy takes its packets, and
    the container sees its gateway as the sender."""
    python = ("bb:1.36", "/usr/bin/python3", "-c", _SAYS_WHO_SENT)
    box.docker("run", "-d", "--name=senders", *QUIET, *MACHINE, "-p", "18230:5140/udp", *python)
    box.sh("iptables-save -t nat >/tmp/nat; iptables -t nat -F DOCKER")
    box.provider.spawn(["python3", "-c", CHATTY_CLIENT])
    box.wait_for(lambda: "172.17.0.1" in box.docker("logs", "senders").stdout, what="a packet")
    box.sh("iptables-restore </tmp/nat")
    assert box.docker("logs", "--tail=1", "senders").stdout == "172.17.0.1\n"
    assert "conntrack -D" in box.diagnose("check", "network.udp-flow-stale", *PATIENT).out


@healthy(baseline=False)
def client_from_after_the_rule(box: Box) -> None:
    """The same client, which began when the rule was there."""
    python = ("bb:1.36", "/usr/bin/python3", "-c", _SAYS_WHO_SENT)
    box.docker("run", "-d", "--name=senders", *QUIET, *MACHINE, "-p", "18230:5140/udp", *python)
    box.provider.spawn(["python3", "-c", CHATTY_CLIENT])
    box.wait_for(lambda: "192.0.2." in box.docker("logs", "senders").stdout, what="a packet")


@healthy(baseline=False, engines=Engines(since=26), config={"userland-proxy": False})
def client_that_the_engine_reset(box: Box) -> None:
    """The same client on an engine that deletes old entries when a port is published."""
    restart_under_a_client(box)
