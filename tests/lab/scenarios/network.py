"""Broken networks: ports that are taken, bridges that are down, subnets in the way."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY, RESOLVER
from tests.lab.runner import healthy_container

QUIET = [
    "--memory=64m",
    "--pids-limit=64",
    "--user=1000:1000",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]


LONG_REQUEST = (
    "import socket; s=socket.create_connection(('192.0.2.80',80),2); s.settimeout(2);"
    "s.sendall(b'GET / HTTP/1.0\\r\\n'+b''.join(b'X-%d: %s\\r\\n'%(n,b'x'*500) for n in range(10))+b'\\r\\n');"
    "assert s.recv(4)==b'HTTP'"
)
"""A program that sends a request of several full packets and wants the beginning of an answer."""


def refused(box: Box, name: str, *options: str) -> str:
    """Run a container that cannot start; returns the engine's words."""
    done = box.docker("run", "-d", f"--name={name}", *QUIET, *options, "shop:1.4", check=False)
    assert done.returncode == 125, done.stderr
    assert box.inspect(name)["State"]["Status"] == "created"
    return done.stderr


@fault("network.port-allocated", subject="container:second", shareable=True)
def port_of_another_container(box: Box) -> None:
    """A container asks for the port that another one publishes."""
    healthy_container(box, "first", 18080)
    assert "port is already allocated" in refused(box, "second", "-p", "18080:8080")


@fault("network.port-held-by-process", subject="container:late", shareable=True)
def port_of_a_process(box: Box) -> None:
    """A container asks for a port on which a program of the host listens."""
    box.spawn(["busybox", "httpd", "-f", "-p", "18081"])
    box.wait_for(lambda: ":18081" in box.run(["ss", "-ltn"]).stdout, what="the host's web server")
    assert "address already in use" in refused(box, "late", "-p", "18081:8080")


_NEAR_END = """
import socket, time
server = socket.create_server(("127.0.0.1", 18089))
client = socket.socket()
client.bind(("127.0.0.1", 35301))
client.connect(("127.0.0.1", 18089))
time.sleep(3600)
"""
"""A program that opens a connection, whose near end has a port that nobody listens on."""


@fault("network.port-held-by-process", subject="container:minio9", shareable=True)
def port_of_a_connection(box: Box) -> None:
    """A container asks for a port that the kernel gave to a connection of the host."""
    box.spawn([sys.executable, "-c", _NEAR_END])
    box.wait_for(lambda: ":35301" in box.run(["ss", "-tn"]).stdout, what="the connection")
    assert ":35301" not in box.run(["ss", "-ltn"]).stdout
    assert "address already in use" in refused(box, "minio9", "-p", "35301:8080")


@fault("network.bind-address-missing", subject="container:floating", shareable=True)
def address_of_nobody(box: Box) -> None:
    """A container is to be published on an address that the host does not have."""
    assert "cannot assign requested address" in refused(
        box, "floating", "-p", "10.99.99.99:18082:8080"
    )


@fault("network.bind-address-missing", subject="container:left", shareable=True)
def address_that_left(box: Box) -> None:
    """The address on which a running container is published moves to another machine."""
    box.sh("ip addr add 192.0.2.77/32 dev eth0")
    healthy_container(box, "left", 18102, "--publish=192.0.2.77:18103:8080")
    assert box.provider.curl("http://192.0.2.77:18103/") == "hello\n"
    box.sh("ip addr del 192.0.2.77/32 dev eth0")
    assert box.provider.curl("http://192.0.2.77:18103/", timeout=1.5, check=False) == ""


@fault(
    "network.bridge-down",
    subject="network:offnet",
    shareable=True,
    also=[("dns.upstream-unreachable", "network:offnet")],
)
def bridge_switched_off(box: Box) -> None:
    """The bridge of a network is set down, as network managers do; its container is cut off and
    says nothing."""
    box.docker("network", "create", "-o", "com.docker.network.bridge.name=offbr", "offnet")
    healthy_container(box, "cut", 18083, "--net=offnet")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18083/") == "hello\n"
    box.run(["ip", "link", "set", "offbr", "down"])
    assert (
        box.docker(
            "exec", "cut", "timeout", "2", "wget", "-qO-", "http://192.0.2.80/", check=False
        ).returncode
        != 0
    )


@fault(
    "network.bridge-down",
    subject="network:bridge",
    baseline=False,
    also=[("dns.upstream-unreachable", "network:bridge"), ("container.unhealthy", "*")],
)
def docker0_without_address(box: Box) -> None:
    """The address of docker0 is flushed: containers have a gateway that nobody is."""
    healthy_container(box, "web", 8080)
    box.run(["ip", "addr", "flush", "dev", "docker0"])
    assert (
        box.docker(
            "exec", "web", "timeout", "2", "wget", "-qO-", "http://192.0.2.80/", check=False
        ).returncode
        != 0
    )


@fault(
    "network.bridge-down",
    subject="network:bridge",
    baseline=False,
    also=[("dns.upstream-unreachable", "network:bridge"), ("container.unhealthy", "*")],
)
def docker0_without_route(box: Box) -> None:
    """The host's route to the containers of docker0 is deleted; the bridge is up and has its
    address."""
    healthy_container(box, "web", 8080)
    box.run(["ip", "route", "del", "172.17.0.0/16"])
    assert (
        box.docker(
            "exec", "web", "timeout", "2", "wget", "-qO-", "http://192.0.2.80/", check=False
        ).returncode
        != 0
    )


@healthy(baseline=False)
def idle_bridges(box: Box) -> None:
    """No container runs: all bridges are DOWN for want of a carrier, which is how they rest."""
    box.docker("network", "create", "emptynet")
    assert "NO-CARRIER" in box.run(["ip", "link", "show", "docker0"]).stdout


@fault(
    "network.subnet-overlaps-route",
    subject="network:office",
    shareable=True,
    also=[("dns.upstream-unreachable", "network:office")],
)
def route_into_a_subnet(box: Box) -> None:
    """A VPN brings a route to a part of a network's subnet: containers there are out of reach."""
    box.docker("network", "create", "--subnet=172.29.0.0/16", "office")
    healthy_container(box, "stray", 18084, "--net=office", "--ip=172.29.5.9")
    fetch = ["curl", "-sS", "-m", "1", "http://172.29.5.9:8080/"]
    assert box.run(fetch).stdout == "hello\n"
    box.run(["ip", "route", "add", "172.29.5.0/24", "via", GATEWAY])
    assert box.run(fetch, check=False).returncode != 0


@fault(
    "network.subnet-overlaps-route",
    subject="network:voidnet",
    shareable=True,
    also=[("dns.upstream-unreachable", "network:voidnet")],
)
def route_to_nowhere(box: Box) -> None:
    """A blackhole route, as for an attacker's address, takes the answers to a container."""
    box.docker("network", "create", "--subnet=172.28.0.0/16", "voidnet")
    healthy_container(box, "swallowed", 18099, "--net=voidnet", "--ip=172.28.5.9")
    box.run(["ip", "route", "add", "blackhole", "172.28.5.9/32"])
    assert (
        box.run(["curl", "-sS", "-m", "1", "http://172.28.5.9:8080/"], check=False).returncode != 0
    )


@fault(
    "network.subnet-overlaps-route",
    subject="network:vpnnet",
    shareable=True,
    also=[("dns.upstream-unreachable", "network:vpnnet")],
)
def routing_policy_without_its_vpn(box: Box) -> None:
    """A routing rule sends a network by a VPN's table, where nothing is left but the stop for the
    time without VPN."""
    box.docker("network", "create", "--subnet=172.26.0.0/16", "vpnnet")
    healthy_container(box, "routed", 18105, "--net=vpnnet")
    box.sh(
        "ip rule add from 172.26.0.0/16 lookup 77 priority 100; ip route add prohibit default table 77"
    )
    fetch = ["timeout", "2", "wget", "-qO-", "http://192.0.2.80/"]
    assert box.docker("exec", "routed", *fetch, check=False).returncode != 0


@healthy(shareable=True)
def vpn_by_routing_policy(box: Box) -> None:
    """A full tunnel as wg-quick sets it up: a default route in a table of its own, and rules that
    keep the rest in the main one."""
    box.sh(f"""
        ip route add default via {GATEWAY} table 51820
        ip rule add not fwmark 51820 lookup 51820
        ip rule add table main suppress_prefixlength 0
    """)
    healthy_container(box, "tunneled", 18106)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18106/") == "hello\n"


@healthy()
def vpn_with_a_kill_switch(box: Box) -> None:
    """A full tunnel as OpenVPN sets it up, in two halves of the world, and a rule that keeps
    containers from leaving beside it."""
    box.sh(f"""
        ip link add link eth0 name tun9 type macvlan mode bridge
        ip addr add 192.0.2.9/32 dev tun9
        ip link set tun9 up
        ip route add 0.0.0.0/1 via {GATEWAY} dev tun9 onlink
        ip route add 128.0.0.0/1 via {GATEWAY} dev tun9 onlink
        ip route add {RESOLVER}/32 dev tun9
        iptables -I DOCKER-USER -o eth0 -j DROP
        iptables -I DOCKER-USER -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
    """)
    box.provider.sh("ip addr add 198.51.100.80/32 dev uplink")
    box.provider.spawn(["busybox", "httpd", "-f", "-p", "198.51.100.80:80", "-h", "/run/www"])
    healthy_container(box, "switched", 18107)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18107/") == "hello\n"
    assert (
        "hello"
        in box.docker(
            "exec", "switched", "timeout", "2", "wget", "-qO-", "http://198.51.100.80/"
        ).stdout
    )


@healthy(shareable=True)
def company_route_around_a_subnet(box: Box) -> None:
    """A company's 10.0.0.0/8 leads to the gateway, and a network has its planned part of it."""
    box.run(["ip", "route", "add", "10.0.0.0/8", "via", GATEWAY])
    box.docker("network", "create", "--subnet=10.200.0.0/24", "planned")
    healthy_container(box, "planned", 18085, "--net=planned")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18085/") == "hello\n"


@healthy(shareable=True)
def default_route_in_halves(box: Box) -> None:
    """A full-tunnel VPN sets 0.0.0.0/1 and 128.0.0.0/1: they overlap every subnet, and no harm is
    done."""
    box.sh(f"ip route add 0.0.0.0/1 via {GATEWAY}; ip route add 128.0.0.0/1 via {GATEWAY}")
    healthy_container(box, "tunnelled", 18086)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18086/") == "hello\n"


@fault("network.published-port-not-listening", subject="container:mute", shareable=True)
def nobody_serves_the_port(box: Box) -> None:
    """A container publishes a port, and nothing inside listens on it."""
    box.docker("run", "-d", "--name=mute", *QUIET, "-p", "18091:8080", "bb:1.36", "sleep", "1000")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18091/", check=False) == ""
    box.sh("sleep 21", timeout=30)


@fault("network.published-port-not-listening", subject="container:wrapped", shareable=True)
def program_failed_and_its_wrapper_lives(box: Box) -> None:
    """A program ends for want of a variable, and the script that started it waits on."""
    says = "Unhandled exception: environment variable SHOP_URL must be set"
    script = f"echo '{says}' >&2; while :; do sleep 100; done"
    box.docker(
        "run", "-d", "--name=wrapped", *QUIET, "-p", "18119:8080", "bb:1.36", "sh", "-c", script
    )
    box.sh("sleep 21", timeout=30)


@fault("network.published-port-not-listening", subject="container:inward", shareable=True)
def served_on_loopback_only(box: Box) -> None:
    """A program listens on 127.0.0.1 inside its container, where the published port does not
    lead."""
    serve = ["httpd", "-f", "-p", "127.0.0.1:8080", "-h", "/www"]
    box.docker("run", "-d", "--name=inward", *QUIET, "-p", "18092:8080", "bb:1.36", *serve)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18092/", check=False) == ""
    box.sh("sleep 21", timeout=30)


@healthy(shareable=True)
def more_ports_than_needed(box: Box) -> None:
    """A container serves one of the two ports that it publishes."""
    healthy_container(box, "spare", 18093, "-p", "18094:8443")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18093/") == "hello\n"
    box.sh("sleep 21", timeout=30)


@fault(
    "network.veth-detached",
    subject="container:unplugged",
    shareable=True,
    also=[("dns.upstream-unreachable", "*:plugnet")],
)
def cable_pulled(box: Box) -> None:
    """The host's end of a container's veth pair is taken off the bridge."""
    box.docker("network", "create", "-o", "com.docker.network.bridge.name=plugbr", "plugnet")
    healthy_container(box, "unplugged", 18095, "--net=plugnet")
    veth = box.sh("ls /sys/class/net/plugbr/brif").strip()
    box.run(["ip", "link", "set", veth, "nomaster"])
    assert (
        box.docker(
            "exec", "unplugged", "timeout", "2", "wget", "-qO-", "http://192.0.2.80/", check=False
        ).returncode
        != 0
    )


@fault("network.veth-detached", subject="container:wayward", shareable=True)
def default_route_deleted_inside(box: Box) -> None:
    """A script in a container's network deletes its default route; its neighbour on the same
    network goes out."""
    box.docker("network", "create", "waynet")
    healthy_container(box, "wayward", 18100, "--net=waynet")
    healthy_container(box, "neighbour", 18101, "--net=waynet")
    pid = box.inspect("wayward")["State"]["Pid"]
    box.run(["nsenter", "-t", str(pid), "-n", "ip", "route", "del", "default"])
    fetch = ["timeout", "2", "wget", "-qO-", "http://192.0.2.80/"]
    assert box.docker("exec", "wayward", *fetch, check=False).returncode != 0
    assert box.docker("exec", "neighbour", *fetch).returncode == 0


@fault(
    "network.veth-detached",
    subject="container:misled",
    shareable=True,
    also=[("dns.upstream-unreachable", "*:leadnet")],
)
def default_route_to_nobody(box: Box) -> None:
    """A script in a container's network sets a default route by an address that nobody has."""
    box.docker("network", "create", "leadnet")
    healthy_container(box, "misled", 18104, "--net=leadnet")
    gateway = box.inspect("misled")["NetworkSettings"]["Networks"]["leadnet"]["Gateway"]
    nobody = gateway.rpartition(".")[0] + ".199"
    pid = box.inspect("misled")["State"]["Pid"]
    box.run(["nsenter", "-t", str(pid), "-n", "ip", "route", "replace", "default", "via", nobody])
    fetch = ["timeout", "2", "wget", "-qO-", "http://192.0.2.80/"]
    assert box.docker("exec", "misled", *fetch, check=False).returncode != 0


@fault("network.bridge-leaked", subject="interface:br-0123456789ab", shareable=True)
def bridge_left_over(box: Box) -> None:
    """A bridge with the name of a network that the engine does not know."""
    box.sh("ip link add br-0123456789ab type bridge; ip addr add 172.30.0.1/16 dev br-0123456789ab")
    assert "br-0123456789ab" not in str(box.api("/networks"))


@fault(
    "network.address-pools-exhausted",
    subject="daemon:docker",
    config={"default-address-pools": [{"base": "10.210.0.0/22", "size": 24}]},
)
def pools_used_up(box: Box) -> None:
    """Four subnets are in the pool and four networks have them: a fifth cannot be created."""
    for number in range(3):
        box.docker("network", "create", f"left{number}")
    said = box.docker("network", "create", "fifth", check=False).stderr
    assert "non-overlapping" in said or "fully subnetted" in said


@fault("network.subnet-exhausted", subject="network:tinynet", shareable=True)
def third_of_two(box: Box) -> None:
    """A network of four addresses holds one container; the second cannot start."""
    box.docker("network", "create", "--subnet=10.77.0.0/30", "tinynet")
    healthy_container(box, "tiny1", 18096, "--net=tinynet")
    assert "no available IPv4 addresses" in refused(box, "tiny2", "--net=tinynet")


@healthy(shareable=True)
def full_on_purpose(box: Box) -> None:
    """A network of four addresses was made for one container, which has it."""
    box.docker("network", "create", "--subnet=10.78.0.0/30", "pairnet")
    healthy_container(box, "pair", 18097, "--net=pairnet")


@fault("network.mtu-mismatch", subject="network:bridge")
def large_packets_lost(box: Box) -> None:
    """The uplink carries 1400 bytes, and the host's filter drops the message that would tell
    containers."""
    box.sh("ip link set eth0 mtu 1400; iptables -A OUTPUT -p icmp -j DROP")
    pid = box.inspect("web")["State"]["Pid"]
    stuck = box.run(
        ["nsenter", "-t", str(pid), "-n", sys.executable, "-c", LONG_REQUEST], check=False
    )
    assert "timed out" in stuck.stderr
    assert (
        "mtu 1500"
        in box.run(["nsenter", "-t", str(pid), "-n", "ip", "link", "show", "eth0"]).stdout
    )


@healthy()
def smaller_uplink(box: Box) -> None:
    """A cloud's uplink carries 1400 bytes: path discovery works, and connections adapt."""
    box.run(["ip", "link", "set", "eth0", "mtu", "1400"])
    assert (
        box.docker("exec", "web", "timeout", "2", "wget", "-qO-", "http://192.0.2.80/").stdout
        == "hello from the web\n"
    )


@healthy()
def clamped_to_a_smaller_uplink(box: Box) -> None:
    """The uplink is small and ICMP is dropped, but a rule makes connections agree on a size that
    fits."""
    box.sh("ip link set eth0 mtu 1400; iptables -A OUTPUT -p icmp -j DROP")
    clamp = "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"
    box.run(["iptables", "-t", "mangle", "-A", "FORWARD", *clamp.split()])
    pid = box.inspect("web")["State"]["Pid"]
    through = box.run(
        ["nsenter", "-t", str(pid), "-n", sys.executable, "-c", LONG_REQUEST], check=False
    )
    assert through.returncode == 0, through.stderr


@fault("network.conntrack-full", subject="host:host", also=["dns.*", "container.unhealthy"])
def connections_beyond_number(box: Box) -> None:
    """Nine tenths of the table of tracked connections are taken by a flood of UDP on loopback."""
    limit = int(box.run(["cat", "/proc/sys/net/netfilter/nf_conntrack_max"]).stdout)
    program = (
        "import socket\n"
        "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
        f"for n in range({limit * 9 // 10}):\n"
        "    try:\n        s.sendto(b'',(f'127.1.{n>>14&255}.{1}',1024+(n&16383)))\n"
        "    except OSError:\n        pass\n"
    )
    box.run([sys.executable, "-c", program], timeout=60)
    assert int(box.run(["cat", "/proc/sys/net/netfilter/nf_conntrack_count"]).stdout) > limit * 0.8


@fault(
    "network.host-port-conflict",
    subject="container:clashing",
    shareable=True,
    also=[("container.*", "container:clashing")],
)
def two_on_the_host_network(box: Box) -> None:
    """Two containers with host networking want the same port; the engine knows nothing of it."""
    serve = ["bb:1.36", "httpd", "-f", "-p", "18098", "-h", "/www"]
    box.docker("run", "-d", "--name=firsthost", "--net=host", *QUIET, *serve)
    box.wait_for(lambda: ":18098" in box.run(["ss", "-ltn"]).stdout, what="the first server")
    box.docker("run", "-d", "--name=clashing", "--net=host", *QUIET, *serve)
    box.wait_state("clashing", "exited")
    assert "in use" in box.docker("logs", "clashing").stderr
