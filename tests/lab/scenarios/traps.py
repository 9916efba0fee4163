"""Healthy hosts that look broken: each has misled a tool, and nothing above advice may be found on
it."""

from __future__ import annotations

import shlex
import time

from tests.lab import Box, Engines, healthy
from tests.lab.provider import BOX_ADDRESS, RESOLVER, WEB
from tests.lab.runner import healthy_container

GOOD = [
    "--memory=64m", "--pids-limit=64", "--user=1000:1000", "--read-only", "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]  # fmt: skip


@healthy(shareable=True)
def stopped_by_hand(box: Box) -> None:
    """A container whose first process ignores SIGTERM was stopped: exit 137, and no OOM."""
    box.docker(
        "run", "-d", "--name=stubborn", "--stop-timeout=1", *GOOD, "bb:1.36", "sh", "-c",
        "trap '' TERM; sleep 1000",
    )  # fmt: skip
    box.docker("stop", "-t", "0", "stubborn")
    state = box.inspect("stubborn")["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (137, False)


@healthy(shareable=True)
def finished_jobs(box: Box) -> None:
    """One-shot containers that are done: exit 0, and 143 after a polite stop."""
    box.docker("run", "--name=migration", *GOOD, "bb:1.36", "true")
    box.docker(
        "run", "-d", "--init", "--name=worker", *GOOD, "bb:1.36", "sh", "-c",
        "trap 'exit 143' TERM; sleep 1000 & wait",
    )  # fmt: skip
    box.wait_for(
        lambda: "sleep" in str(box.api("/containers/worker/top")), what="the worker to wait"
    )
    box.docker("stop", "-t", "5", "worker")
    assert box.inspect("migration")["State"]["ExitCode"] == 0
    assert box.inspect("worker")["State"]["ExitCode"] == 143


@healthy(shareable=True)
def still_starting(box: Box) -> None:
    """A slow starter inside its start period: its health checks fail, and that is not an illness
    yet."""
    probe = ["--health-cmd=false", "--health-interval=1s", "--health-start-period=300s"]
    box.docker("run", "-d", "--name=slow", *GOOD, *probe, "bb:1.36", "sleep", "1000")
    box.wait_for(lambda: box.inspect("slow")["State"]["Health"]["Log"], what="a failed probe")
    assert box.inspect("slow")["State"]["Health"]["Status"] == "starting"


@healthy(shareable=True)
def page_cache_at_the_limit(box: Box) -> None:
    """A container that has read and written much: its memory is at the limit, and nearly all of it
    is cache."""
    options = "run -d --name=cacher --memory=32m --pids-limit=64 --user=0 -v cachedata:/data bb:1.36 sh -c"
    work = "dd if=/dev/zero of=/data/x bs=1M count=48; cat /data/x >/dev/null; touch /data/done; sleep 1000"
    box.docker(*shlex.split(options), work)
    done = box.path("/var/lib/docker/volumes/cachedata/_data/done")
    box.wait_for(done.exists, what="the file to be written")
    stats = box.api("/containers/cacher/stats?stream=false&one-shot=true")["memory_stats"]
    assert stats["usage"] > 0.8 * stats["limit"]
    assert box.inspect("cacher")["State"]["Running"]


@healthy(shareable=True)
def very_short_runs(box: Box) -> None:
    """Runs so short that the engine may record an end before the start."""
    for number in range(5):
        box.docker("run", f"--name=blink{number}", *GOOD, "--network=none", "bb:1.36", "true")
    assert all(box.inspect(f"blink{n}")["State"]["Status"] == "exited" for n in range(5))


@healthy(shareable=True)
def created_only(box: Box) -> None:
    """A container that was created and never started: exit code 0, no error."""
    box.docker("create", "--name=never-started", *GOOD, "bb:1.36", "sleep", "1000")
    state = box.inspect("never-started")["State"]
    assert (state["Status"], state["Error"]) == ("created", "")


@healthy(baseline=False)
def empty_host(box: Box) -> None:
    """An engine without containers: docker0 has no carrier, so its state is DOWN."""
    assert "state DOWN" in box.run(["ip", "link", "show", "docker0"]).stdout


@healthy()
def empty_legacy_tables(box: Box) -> None:
    """Somebody looked with iptables-legacy: its tables exist now, and are empty."""
    box.run(["iptables-legacy", "-S"])
    assert "filter" in box.sh("cat /proc/net/ip_tables_names")
    assert (
        "# Warning: iptables-legacy tables present"
        in box.run(["iptables-save"]).stdout + box.run(["iptables", "-S"]).stderr
    )
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"


@healthy(engine_started=False)
def resolver_stub(box: Box) -> None:
    """A systemd-resolved host: resolv.conf names 127.0.0.53, and the real resolvers are in a file
    beside it."""
    box.write(
        "/run/systemd/resolve/stub-resolv.conf", "nameserver 127.0.0.53\noptions edns0 trust-ad\n"
    )
    box.write("/run/systemd/resolve/resolv.conf", f"nameserver {RESOLVER}\n")
    box.sh("ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")
    stub = "dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --keep-in-foreground"
    listen = "--bind-interfaces --listen-address=127.0.0.53"
    box.spawn([*stub.split(), *listen.split(), f"--server={RESOLVER}"])
    box.wait_for(
        lambda: "127.0.0.53:53" in box.run(["ss", "-lnu"]).stdout, what="the stub to listen"
    )
    box.start_engine()
    healthy_container(box, "web", 8080)
    assert RESOLVER in box.docker("exec", "web", "cat", "/etc/resolv.conf").stdout
    assert WEB in box.docker("exec", "web", "nslookup", "-type=a", "www.lab.test").stdout
    assert WEB in box.run(["busybox", "nslookup", "-type=a", "www.lab.test"]).stdout


@healthy(baseline=False, config={"iptables": False})
def rules_of_their_own(box: Box) -> None:
    """The engine is told to leave iptables alone, and the site's own rules let containers out and
    clients in."""
    box.sh(
        "sysctl -qw net.ipv4.ip_forward=1; iptables -t nat -A POSTROUTING -s 172.16.0.0/12 -o eth0 -j MASQUERADE"
    )
    healthy_container(box, "web", 8080)
    assert "DOCKER" not in box.run(["iptables-save"]).stdout
    assert (
        box.docker("exec", "web", "wget", "-qO-", "http://www.lab.test/").stdout
        == "hello from the web\n"
    )
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"


@healthy()
def narrow_uplink_with_path_discovery(box: Box) -> None:
    """The uplink takes 1450 bytes, bridges 1500: large transfers pass, since the host says what is
    too big."""
    box.run(["ip", "link", "set", "eth0", "mtu", "1450"])
    box.provider.sh("ip link set uplink mtu 1450; head -c 300000 /dev/zero >/run/www/large")
    box.docker(
        "exec", "web", "sh", "-c",
        f"timeout 5 wget -qO- http://{WEB}/large | wc -c | grep -q 300000",
    )  # fmt: skip


@healthy()
def somebody_elses_bridge(box: Box) -> None:
    """Another container system lives beside Docker: its bridge, its veth pairs, its rules."""
    box.sh("""
        ip link add cni0 type bridge; ip addr add 10.88.0.1/16 dev cni0; ip link set cni0 up
        ip link add cali1 type veth peer name cali2; ip link set cali1 master cni0 up; ip link set cali2 up
        ip link add idle0 type bridge
        iptables -N KUBE-FORWARD; iptables -A FORWARD -j KUBE-FORWARD
        iptables -t nat -N CNI-HOSTPORT-DNAT; iptables -t nat -A PREROUTING -j CNI-HOSTPORT-DNAT
    """)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"


@healthy()
def second_engine(box: Box) -> None:
    """A second dockerd with its own socket, data root and container runs beside the first."""
    # a bridge of its own: with `--bridge none` an engine deletes docker0, which is the first one's
    # (seen on 20.10 and 28.5)
    box.sh(
        "ip link add docker2 type bridge; ip addr add 10.99.0.1/24 dev docker2; ip link set docker2 up"
    )
    own = "--data-root /srv/docker2 --exec-root /run/docker2 --pidfile /run/docker2.pid --config-file /srv/docker2.json"
    options = "-H unix:///run/docker2.sock --storage-driver vfs --bridge docker2 --iptables=false"
    box.spawn(["sh", "-c", f"exec dockerd {own} {options}"], log="/var/log/docker2.log")
    box.write("/srv/docker2.json", "{}")

    def up() -> bool:
        try:
            return bool(box.api("/_ping", sock="/run/docker2.sock") == "OK")
        except OSError:
            return False

    box.wait_for(up, what="the second engine to answer")
    assert box.api("/info", sock="/run/docker2.sock")["DockerRootDir"] == "/srv/docker2"
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"


@healthy()
def churn(box: Box) -> None:
    """Five containers a second start and vanish while the tool looks."""
    box.image("bb:1.36")
    body = {
        "Image": "bb:1.36",
        "Cmd": ["sleep", "0.3"],
        "User": "1000",
        "HostConfig": {"AutoRemove": True, "NetworkMode": "none"},
    }
    box.write("/tmp/churn.json", body)
    box.write(
        "/tmp/churn",
        """
        ask() { curl -s --unix-socket /run/docker.sock -X POST "$@"; }
        one() {
            id=$(ask -H 'Content-Type: application/json' -d @/tmp/churn.json http://d/containers/create | cut -d'"' -f4)
            ask "http://d/containers/$id/start"
        }
        worker() { while :; do one; sleep 0.7; done; }
        for each in 1 2 3 4; do worker & sleep 0.2; done
        wait
    """,
    )
    box.spawn(["sh", "/tmp/churn"])

    def starts() -> int:
        now = time.time()
        filters = '{"event":["start"],"type":["container"]}'
        return str(
            box.api(f"/events?since={now - 60:.0f}&until={now:.0f}&filters={filters}")
        ).count("Action")

    box.wait_for(lambda: starts() >= 10, what="ten starts")


@healthy(engines=Engines(since=28), engine_env={"DOCKER_MIN_API_VERSION": "1.44"})
def higher_api_floor(box: Box) -> None:
    """An engine that refuses clients older than API 1.44, as 29.0 does."""
    refused = box.run(
        ["curl", "-s", "--unix-socket", "/run/docker.sock", "http://d/v1.41/version"]
    ).stdout
    assert "too old" in refused


@healthy(engines=Engines(since=26), config={"features": {"containerd-snapshotter": True}})
def containerd_image_store(box: Box) -> None:
    """The containerd image store, which newer engines use unless told otherwise."""
    assert "io.containerd.snapshotter.v1" in str(box.api("/info")["DriverStatus"])
