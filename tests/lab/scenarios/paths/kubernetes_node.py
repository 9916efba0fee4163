"""A host that is a node of Kubernetes too, and has virtual machines of libvirt."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, WEB

_DEVICES = """
    ip link add cni0 type bridge; ip addr add 10.244.0.1/24 dev cni0; ip link set cni0 up
    ip link add flannel.1 type vxlan id 1 dev eth0 dstport 8472 nolearning
    ip addr add 10.244.0.0/32 dev flannel.1; ip link set flannel.1 up
    ip route add 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink
    ip link add virbr0 type bridge; ip addr add 192.168.122.1/24 dev virbr0; ip link set virbr0 up
    ip netns add pod; ip netns add guest
    ip link add vethpod type veth peer name eth0 netns pod; ip link set vethpod master cni0 up
    ip link add vnet0 type veth peer name eth0 netns guest; ip link set vnet0 master virbr0 up
    ip -n pod addr add 10.244.0.5/24 dev eth0; ip -n guest addr add 192.168.122.50/24 dev eth0
    for one in pod guest; do ip -n $one link set eth0 up; ip -n $one link set lo up; done
    ip -n pod route add default via 10.244.0.1; ip -n guest route add default via 192.168.122.1
"""

_OF_KUBE_PROXY_AND_FLANNEL = """
*mangle
:KUBE-IPTABLES-HINT - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
COMMIT
*nat
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-EXT-WEB - [0:0]
:KUBE-SVC-WEB - [0:0]
:KUBE-SEP-ONE - [0:0]
:FLANNEL-POSTRTG - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
-A KUBE-SERVICES -d 10.96.14.9/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-WEB
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j KUBE-EXT-WEB
-A KUBE-EXT-WEB -j KUBE-MARK-MASQ
-A KUBE-EXT-WEB -j KUBE-SVC-WEB
-A KUBE-SVC-WEB ! -s 10.244.0.0/16 -d 10.96.14.9/32 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-WEB -j KUBE-SEP-ONE
-A KUBE-SEP-ONE -s 10.244.0.5/32 -j KUBE-MARK-MASQ
-A KUBE-SEP-ONE -p tcp -m tcp -j DNAT --to-destination 10.244.0.5:8080
-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -j RETURN
-A FLANNEL-POSTRTG -s 10.244.0.0/24 -d 10.244.0.0/16 -j RETURN
-A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.0.0/24 -j RETURN
-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/24 -j RETURN
-A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE --random-fully
-A FLANNEL-POSTRTG ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE --random-fully
COMMIT
*filter
:KUBE-FIREWALL - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:FLANNEL-FWD - [0:0]
-I INPUT 1 -m conntrack --ctstate NEW -j KUBE-PROXY-FIREWALL
-I INPUT 2 -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-I INPUT 3 -j KUBE-FIREWALL
-I FORWARD 1 -m conntrack --ctstate NEW -j KUBE-PROXY-FIREWALL
-I FORWARD 2 -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-I FORWARD 3 -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
-I OUTPUT 1 -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-I OUTPUT 2 -j KUBE-FIREWALL
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A KUBE-SERVICES -d 10.96.77.5/32 -p tcp -m comment --comment "default/idle has no endpoints" -m tcp --dport 80 -j REJECT
-A FLANNEL-FWD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
-A FLANNEL-FWD -d 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
COMMIT
"""

_OF_LIBVIRT = """
*mangle
:LIBVIRT_PRT - [0:0]
-A POSTROUTING -j LIBVIRT_PRT
-A LIBVIRT_PRT -o virbr0 -p udp -m udp --dport 68 -j CHECKSUM --checksum-fill
COMMIT
*nat
:LIBVIRT_PRT - [0:0]
-A POSTROUTING -j LIBVIRT_PRT
-A LIBVIRT_PRT -s 192.168.122.0/24 -d 224.0.0.0/24 -j RETURN
-A LIBVIRT_PRT -s 192.168.122.0/24 -d 255.255.255.255/32 -j RETURN
-A LIBVIRT_PRT -s 192.168.122.0/24 ! -d 192.168.122.0/24 -p tcp -j MASQUERADE --to-ports 1024-65535
-A LIBVIRT_PRT -s 192.168.122.0/24 ! -d 192.168.122.0/24 -p udp -j MASQUERADE --to-ports 1024-65535
-A LIBVIRT_PRT -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE
COMMIT
*filter
:LIBVIRT_FWI - [0:0]
:LIBVIRT_FWO - [0:0]
:LIBVIRT_FWX - [0:0]
:LIBVIRT_INP - [0:0]
:LIBVIRT_OUT - [0:0]
-A INPUT -j LIBVIRT_INP
-A FORWARD -j LIBVIRT_FWX
-A FORWARD -j LIBVIRT_FWI
-A FORWARD -j LIBVIRT_FWO
-A OUTPUT -j LIBVIRT_OUT
-A LIBVIRT_FWI -d 192.168.122.0/24 -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A LIBVIRT_FWI -o virbr0 -j REJECT --reject-with icmp-port-unreachable
-A LIBVIRT_FWO -s 192.168.122.0/24 -i virbr0 -j ACCEPT
-A LIBVIRT_FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable
-A LIBVIRT_FWX -i virbr0 -o virbr0 -j ACCEPT
-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 53 -j ACCEPT
-A LIBVIRT_INP -i virbr0 -p tcp -m tcp --dport 53 -j ACCEPT
-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 67 -j ACCEPT
-A LIBVIRT_OUT -o virbr0 -p udp -m udp --dport 68 -j ACCEPT
COMMIT
"""


def _node(box: Box, *rule_sets: str) -> None:
    """The bridges of flannel and libvirt with a pod and a virtual machine, and these rules."""
    box.sh(_DEVICES)
    box.sh("iptables -P FORWARD DROP")
    for rules in rule_sets:
        box.sh(f"iptables-restore --noflush <<'END'\n{rules}END")
    serve = "mkdir -p /srv/pod; echo pod >/srv/pod/index.html; exec busybox httpd -f -p 8080 -h /srv/pod"
    box.spawn(["ip", "netns", "exec", "pod", "sh", "-c", serve])


def _gets_out(box: Box, name: str) -> bool:
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", f"http://{WEB}/"]
    return box.run(["ip", "netns", "exec", name, *curl], check=False).returncode == 0


@healthy()
def node_of_kubernetes_with_virtual_machines(box: Box) -> None:
    """kubelet, kube-proxy, flannel and libvirt have their bridges and rules beside Docker's."""
    _node(box, _OF_KUBE_PROXY_AND_FLANNEL, _OF_LIBVIRT)
    assert _gets_out(box, "pod")
    assert _gets_out(box, "guest")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:30080/") == "pod\n"
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"


@fault("firewall.other-bridges-cut-off", subject="interface:virbr0")
def virtual_machines_without_the_rules_of_libvirt(box: Box) -> None:
    """The same node after a reload of the firewall: kube-proxy writes its rules again, and libvirt
    does not, so that Docker's policy drops what the virtual machines send."""
    translation = _OF_LIBVIRT[_OF_LIBVIRT.index("*nat") : _OF_LIBVIRT.index("*filter")]
    _node(box, _OF_KUBE_PROXY_AND_FLANNEL, translation)
    assert _gets_out(box, "pod")
    assert not _gets_out(box, "guest")
