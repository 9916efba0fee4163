"""Names that the host's DNS server tells the host, and no container."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import RESOLVER, WEB
from tests.lab.runner import BASE_CONFIG

CHECK = "dns.name-only-on-host"
_DOMAIN = "vagrant.test"
_NAME = f"manager0.{_DOMAIN}"
_DNSMASQ = "--no-resolv --no-hosts --conf-file=/dev/null --pid-file= --keep-in-foreground"
_MISSES = f"""while :; do
  timeout 3 nslookup -type=a {_NAME} | grep -q {WEB} && echo found || echo 'curl: (6) Could not resolve host: {_NAME}'
  sleep 1
done"""


def _caller(box: Box, words: str) -> None:
    """A container on the default network that calls the name, until its log has these words."""
    box.docker("run", "-d", "--name=app5", "-m", "32m", "bb:1.36", "sh", "-c", _MISSES)
    box.wait_for(lambda: box.docker("logs", "app5").stdout.count(words) >= 3, what=words)


def _other_port(box: Box) -> None:
    """The site's server denies the name, and a second program at its port 10053 knows it."""
    box.provider.dns_stop()
    box.provider.dns_start(f"--local=/{_DOMAIN}/")
    place = [f"--listen-address={RESOLVER}", "--bind-interfaces", "--port=10053"]
    box.provider.spawn(["dnsmasq", *_DNSMASQ.split(), *place, f"--address=/{_DOMAIN}/{WEB}"])
    rule = f"-p udp -d {RESOLVER} --dport 53 -j DNAT --to-destination {RESOLVER}:10053"
    box.sh(f"iptables -t nat -I OUTPUT {rule}")
    box.wait_for(lambda: WEB in box.sh(f"getent ahostsv4 {_NAME} || true"), what="the rule")


@fault(CHECK, subject="container:app5", also=["container.errors-in-log"])
def queries_of_the_host_alone_are_redirected(box: Box) -> None:
    """A rule of nat OUTPUT leads the host's own queries to a server that knows the name."""
    _other_port(box)
    _caller(box, "Could not resolve")


@healthy(advice=None)
def queries_of_host_and_containers_are_redirected(box: Box) -> None:
    """The same rule for packets of containers too."""
    _other_port(box)
    rule = f"-p udp -d {RESOLVER} --dport 53 -j DNAT --to-destination {RESOLVER}:10053"
    box.sh(f"iptables -t nat -I PREROUTING {rule}")
    _caller(box, "found")


@fault(CHECK, subject="container:app5", also=["container.errors-in-log"], engine_started=False)
def resolver_of_the_host_that_knows_a_vpn(box: Box) -> None:
    """The host asks a resolver of its own at loopback, which passes names of a VPN on to the VPN's
    server. Containers ask the site's server."""
    local = ["--listen-address=127.0.0.1", "--bind-interfaces", f"--server={RESOLVER}"]
    box.spawn(["dnsmasq", *_DNSMASQ.split(), *local, f"--address=/{_DOMAIN}/{WEB}"])
    box.provider.dns_stop()
    box.provider.dns_start(f"--local=/{_DOMAIN}/")
    box.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    box.start_engine(config={**BASE_CONFIG, "dns": [RESOLVER]})
    box.wait_for(lambda: WEB in box.sh(f"getent ahostsv4 {_NAME} || true"), what="the resolver")
    _caller(box, "Could not resolve")
