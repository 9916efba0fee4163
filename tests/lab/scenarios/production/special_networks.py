"""Hosts whose networks are unusual on purpose: a macvlan with a shim, a VPN beside programs, two
families of addresses, and a swarm of one node."""

from __future__ import annotations

from tests.lab import Box, healthy
from tests.lab.faults import Engines
from tests.lab.programs import load_server
from tests.lab.provider import BOX_ADDRESS, GATEWAY
from tests.lab.scenarios.production.helpers import calm_for_others, stand_in, up, wait_lines
from tests.lab.scenarios.real_servers import NGINX

_PIHOLE_START = """
[i] Starting docker specific checks & setup for docker pihole/pihole
[!] Setting capabilities on pihole-FTL where possible
[i] Docker start setup complete
WARNING in dnsmasq core: Maximum number of concurrent DNS queries reached (max: 150)
[i] FTL started!
"""
_PIHOLE = """
services:
  pihole:
    image: pihole/pihole:2024.07.0
    container_name: pihole
    hostname: pihole
    cap_add: [NET_ADMIN]
    environment: {TZ: UTC, WEBPASSWORD: made-up, FTLCONF_LOCAL_IPV4: 192.0.2.200}
    networks: {lan: {ipv4_address: 192.0.2.200}}
    restart: unless-stopped
networks:
  lan:
    driver: macvlan
    driver_opts: {parent: eth0}
    ipam: {config: [{subnet: 192.0.2.0/24, gateway: %s, ip_range: 192.0.2.192/28}]}
"""
_SHIM = """
ip link add lan-shim link eth0 type macvlan mode bridge
ip addr add 192.0.2.223/32 dev lan-shim
ip link set lan-shim up
ip route add 192.0.2.192/28 dev lan-shim
"""


@healthy()
def resolver_on_a_macvlan_with_a_shim(box: Box) -> None:
    """Pi-hole has an address of the wire, and the host reaches it by a macvlan of its own."""
    stand_in(
        box, "pihole/pihole:2024.07.0", "pihole-FTL", "EXPOSE 53 67/udp 80", web=(80,), tcp=(53,),
        first=_PIHOLE_START, again="dnsmasq: query[A] printer.lan from 192.0.2.31",
    )  # fmt: skip
    up(box, "dns", _PIHOLE % GATEWAY)
    box.sh(_SHIM)
    fetch = "curl -s --noproxy '*' -m 3 http://192.0.2.200/ || true"
    box.wait_for(lambda: "hello" in box.sh(fetch), what="the host to reach it")
    wait_lines(box, "pihole")
    calm_for_others(box)


_GLUETUN_START = """
INFO [routing] default route found: interface eth0, gateway 172.29.0.1, assigned IP 172.29.0.2
INFO [firewall] enabling...
INFO [firewall] enabled successfully
INFO [dns] downloading hostnames and IP block lists
WARN [dns] cannot update filter block lists: Get "https://raw.githubusercontent.com/x": dial tcp: lookup raw.githubusercontent.com on 1.1.1.1:53: read udp: i/o timeout
INFO [openvpn] [ovpn.server] Peer Connection Initiated with [AF_INET]198.51.100.7:1194
INFO [openvpn] Initialization Sequence Completed
INFO [healthcheck] unhealthy, restarting VPN: startup check: dialing: dial tcp4: lookup cloudflare.com: i/o timeout
INFO [healthcheck] healthy!
INFO [ip getter] Public IP address is 203.0.113.40 (Sweden)
"""
_VPN = """
services:
  gluetun:
    image: qmcgaw/gluetun:v3.39
    container_name: gluetun
    cap_add: [NET_ADMIN]
    ports: ["8090:8090", "6881:6881", "6881:6881/udp"]
    environment: {VPN_SERVICE_PROVIDER: custom, VPN_TYPE: openvpn, FIREWALL_OUTBOUND_SUBNETS: 192.168.1.0/24}
    volumes: ["./gluetun:/gluetun"]
    restart: always
    healthcheck: {test: [CMD-SHELL, "true"], interval: 3s, timeout: 5s}
  qbittorrent:
    image: lscr.io/linuxserver/qbittorrent:4.6.7
    container_name: qbittorrent
    network_mode: "service:gluetun"
    environment: {PUID: "1000", PGID: "1000", WEBUI_PORT: "8090", TZ: UTC}
    volumes: ["./config:/config", "./downloads:/downloads"]
    depends_on: {gluetun: {condition: service_healthy}}
    restart: unless-stopped
"""
_KILL_SWITCH = """
ip link add tun0 type veth peer name far0
ip addr add 10.96.0.2/16 dev tun0; ip link set tun0 up; ip link set far0 up
ip neigh add 10.96.0.1 lladdr 02:00:00:00:00:09 dev tun0
ip route add 0.0.0.0/1 via 10.96.0.1 dev tun0; ip route add 128.0.0.0/1 via 10.96.0.1 dev tun0
own=$(ip -4 -o addr show dev eth0 | tr -s ' ' | cut -d' ' -f4 | cut -d/ -f1)
ip rule add from $own table 200 priority 100
ip route add default via ${own%.*}.1 dev eth0 table 200
for chain in INPUT OUTPUT FORWARD; do iptables -P $chain DROP; done
iptables -A INPUT -i lo -j ACCEPT; iptables -A OUTPUT -o lo -j ACCEPT
iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A OUTPUT -o eth0 -d 198.51.100.7 -p udp --dport 1194 -j ACCEPT
iptables -A OUTPUT -o tun0 -j ACCEPT
iptables -A OUTPUT -o eth0 -s $own -d ${own%.*}.0/24 -j ACCEPT
iptables -A INPUT -i eth0 -d ${own%.*}.0/24 -j ACCEPT
"""


@healthy()
def programs_behind_a_vpn_with_a_kill_switch(box: Box) -> None:
    """Gluetun lets nothing out but by its tunnel; a client of torrents stands in its network."""
    stand_in(box, "qmcgaw/gluetun:v3.39", "gluetun", "EXPOSE 8000 8888", tcp=(8000,), first=_GLUETUN_START)  # fmt: skip
    torrents = "[ls.io-init] done.\n******** Information ********\nTo control qBittorrent, access the WebUI at: http://localhost:8090"
    stand_in(
        box, "lscr.io/linuxserver/qbittorrent:4.6.7", "qbittorrent-nox", "EXPOSE 8080 6881",
        web=(8090,), tcp=(6881,), first=torrents,
    )  # fmt: skip
    box.sh("mkdir -p /opt/vpn/config /opt/vpn/downloads /opt/vpn/gluetun && chown -R 1000:1000 /opt/vpn")  # fmt: skip
    up(box, "vpn", _VPN)
    pid = str(box.inspect("gluetun")["State"]["Pid"])
    box.run(["nsenter", "-t", pid, "-n", "sh", "-ec", _KILL_SWITCH])
    box.wait_for(
        lambda: "hello" in box.provider.curl(f"http://{BOX_ADDRESS}:8090/", check=False), what="the page"
    )  # fmt: skip
    calm_for_others(box)


_BOTH = {"ipv6": True, "fixed-cidr-v6": "fd00:d0c::/64"}
_PAGES = """
services:
  front:
    image: nginx:1.27
    restart: always
    ports: ["80:80", "[::]:8088:80"]
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"]
    command: [/usr/sbin/nginx, -c, /etc/nginx/nginx.conf]
    networks: [front, back]
  api:
    image: api:2
    restart: always
    networks: [back]
networks:
  front: {enable_ipv6: true, ipam: {config: [{subnet: 10.240.1.0/24}, {subnet: "fd00:d0c:1::/64"}]}}
  back: {internal: true, enable_ipv6: true, ipam: {config: [{subnet: 10.240.2.0/24}, {subnet: "fd00:d0c:2::/64"}]}}
"""
_FRONT = """
server { listen 80; listen [::]:80; location / { proxy_pass http://api:8080; } }
"""


@healthy(config=_BOTH, engines=Engines(since=27))
def pages_by_both_families(box: Box) -> None:
    """Networks with addresses of both families, one of them internal."""
    box.sh("ip -6 addr add 2001:db8:10::10/64 dev eth0 nodad")
    load_server(box, "nginx", "nginx:1.27", "EXPOSE 80")
    _load_api(box)
    box.write("/opt/pages/nginx.conf", NGINX % _FRONT)
    up(box, "pages", _PAGES)
    both = ("http://127.0.0.1/", "http://[::1]:8088/")
    fetch = "; ".join(f"curl -s -g --noproxy '*' -m 3 '{url}' || true" for url in both)
    box.wait_for(lambda: box.sh(fetch).count("hello") == len(both), what="the pages")
    calm_for_others(box)


def _load_api(box: Box) -> None:
    """A program that answers HTTP on 8080, by both families, and logs each call."""
    stand_in(
        box, "api:2", "api", "EXPOSE 8080", "USER 1000:1000", web=(8080,),
        first="listening on [::]:8080", again="INFO call served status=200 took=3ms",
    )  # fmt: skip


_STACK = """
services:
  web:
    image: api:2
    configs: [{source: site, target: /etc/site.conf}]
    secrets: [token]
    networks: [shop]
    deploy:
      endpoint_mode: dnsrr
      replicas: 2
      update_config: {parallelism: 1, order: start-first}
      restart_policy: {condition: any, delay: 1s}
      resources: {limits: {memory: 64M}}
  agent:
    image: api:2
    user: root
    networks: [shop]
    ports: [{target: 8080, published: 8070, mode: host}]
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]
    deploy: {endpoint_mode: dnsrr, mode: global, resources: {limits: {memory: 64M}}}
  migrate:
    image: api:2
    command: [sh, -c, "echo 'schema is up to date'; exit 0"]
    networks: [shop]
    deploy: {endpoint_mode: dnsrr, restart_policy: {condition: none}}
configs: {site: {file: ./site.conf}}
secrets: {token: {file: ./token}}
networks: {shop: {driver: overlay, attachable: true}}
"""


@healthy()
def swarm_of_one_node(box: Box) -> None:
    """A stack of services with a config and a secret; a task has run to its end, and one service
    was updated. No service has a virtual address: the lab's kernel has no IPVS."""
    _load_api(box)
    box.docker(
        "swarm", "init", "--advertise-addr", BOX_ADDRESS, "--default-addr-pool", "10.200.0.0/16"
    )
    box.write("/opt/shop/stack.yml", f'version: "3.8"\n{_STACK}')
    box.write("/opt/shop/site.conf", "server_name shop.lab.test\n")
    box.write("/opt/shop/token", "made-up-token\n")
    box.sh("cd /opt/shop && docker stack deploy --resolve-image never -c stack.yml shop 2>&1", timeout=60)  # fmt: skip
    running = "docker service ls --format '{{.Name}} {{.Replicas}}'"
    box.wait_for(lambda: "shop_web 2/2" in box.sh(running), what="the replicas")
    box.sh("docker service update --detach --env-add STAGE=prod --no-resolve-image shop_web", timeout=60)  # fmt: skip
    state = "docker service inspect --format '{{.UpdateStatus.State}}' shop_web"
    box.wait_for(lambda: "completed" in box.sh(state), what="the update", timeout=90)
    box.wait_for(lambda: "shop_web 2/2" in box.sh(running), what="the replicas")
    calm_for_others(box)
