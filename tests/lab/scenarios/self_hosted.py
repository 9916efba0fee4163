"""What people who run other people's programs at home meet: a program that calls the host by
localhost, and the like; each with look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.device_rules import deny_device
from tests.lab.programs import load_server
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.real_servers import NGINX


def _host_server(box: Box, port: int) -> None:
    """A program of the host's own that listens at a port for everybody."""
    box.sh("mkdir -p /srv/library && echo films >/srv/library/index.html")
    box.spawn(["busybox", "httpd", "-f", "-p", str(port), "-h", "/srv/library"])
    box.wait_for(lambda: f":{port}" in box.sh("ss -lnt"), what="the server of the host")


def _count(box: Box, name: str, words: str) -> int:
    done = box.docker("logs", name)
    return (done.stdout + done.stderr).count(words)


_CALLS = (
    "while :; do wget -qO- http://localhost:{port}/ | grep -q films && echo found films || "
    "echo 'couldnt reach local media server at: http://localhost:{port}'; sleep 1; done"
)


@fault("container.loopback-peer", subject="container:finder1", shareable=True)
def program_of_the_host_by_localhost(box: Box) -> None:
    """A program looks for the host's media server at localhost, which is its own container."""
    _host_server(box, 32401)
    calls = ("bb:1.36", "sh", "-c", _CALLS.format(port=32401))
    box.docker("run", "-d", "--name=finder1", *QUIET, *calls)
    box.wait_for(lambda: _count(box, "finder1", "couldnt reach") > 3, what="failed calls")
    command = first_command(box, "container.loopback-peer", "finder1")
    assert command == "diagnose recreate finder1 -- --network=host | sh"


@healthy(shareable=True)
def program_that_finds_its_own_server_late(box: Box) -> None:
    """The same words at the start; then the container's own server listens at that port."""
    _host_server(box, 32402)
    serves = (
        "sleep 3; mkdir -p /tmp/www; echo films >/tmp/www/index.html; httpd -p 32402 -h /tmp/www"
    )
    calls = ("bb:1.36", "sh", "-c", f"({serves}) & {_CALLS.format(port=32402)}")
    box.docker("run", "-d", "--name=finder2", *QUIET, *calls)
    box.wait_for(lambda: _count(box, "finder2", "found films") > 2, what="its own server")
    assert _count(box, "finder2", "couldnt reach") >= 2


_WRITES = """
import sqlite3, sys, time
while True:
    try:
        base = sqlite3.connect(sys.argv[1], uri=True)
        base.execute("insert into jobs values (1)")
        base.commit()
        print("saved", flush=True)
    except sqlite3.OperationalError as error:
        print(f"sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) {error}", flush=True)
    time.sleep(1)
"""


def _with_database(box: Box, name: str, owner: int, uri: str) -> None:
    """A program that changes from root to user 1000, as images with PUID do, and saves its jobs."""
    folder = f"/srv/{name}"
    make = "import sqlite3; b = sqlite3.connect('jobs.db'); b.execute('create table jobs(id)'); b.commit()"
    box.sh(f'mkdir -p {folder} && cd {folder} && /usr/bin/python3 -c "{make}"')
    box.sh(f"chown 1000:1000 {folder} && chown {owner}:{owner} {folder}/jobs.db")
    drop = ("/usr/bin/setpriv", "--reuid=1000", "--regid=1000", "--clear-groups")
    program = (*drop, "/usr/bin/python3", "-c", _WRITES, uri)
    options = ("--memory=64m", "--pids-limit=64", *MACHINE, "-v", f"{folder}:/app/data")
    box.docker("run", "-d", f"--name={name}", *options, "bb:1.36", *program)


@fault("container.mount-forbidden", subject="container:meals3")
def database_that_a_start_as_root_made(box: Box) -> None:
    """A file of SQLite in the data folder belongs to root: SQLite says that it is read-only, and
    does not say which file it means."""
    _with_database(box, "meals3", 0, "file:/app/data/jobs.db")
    box.wait_for(lambda: _count(box, "meals3", "readonly database") > 3, what="refused writes")
    command = first_command(box, "container.mount-forbidden", "meals3")
    assert command.startswith("find /srv/meals3 -maxdepth 1 -type f"), command
    box.sh(command)
    before = _count(box, "meals3", "saved")
    box.wait_for(lambda: _count(box, "meals3", "saved") > before, what="a saved job")
    box.sh("chown 0:0 /srv/meals3/jobs.db && docker restart meals3")
    lines = _count(box, "meals3", "readonly database")
    box.wait_for(lambda: _count(box, "meals3", "readonly database") > lines + 3, what="refusals")


@fault("container.mount-forbidden", subject="container:meals5")
def database_in_a_folder_of_root(box: Box) -> None:
    """The program may write its database, and not the folder, where SQLite makes a journal."""
    _with_database(box, "meals5", 1000, "file:/app/data/jobs.db")
    box.sh("chown 0:0 /srv/meals5 && docker restart --time 1 meals5")
    box.wait_for(lambda: _count(box, "meals5", "readonly database") > 0, what="the refusal")
    locked = "database is locked"
    box.wait_for(lambda: _count(box, "meals5", locked) > 2, what="what follows from it")
    command = first_command(box, "container.mount-forbidden", "meals5")
    assert command.startswith("chown 1000 /srv/meals5\n"), command


@healthy()
def database_that_is_opened_to_read(box: Box) -> None:
    """The same words of a program that opens its own database read-only by itself."""
    _with_database(box, "meals4", 1000, "file:/app/data/jobs.db?mode=ro")
    box.wait_for(lambda: _count(box, "meals4", "readonly database") > 3, what="refused writes")


_WATCHES = (
    'while :; do {before}[ -e /var/run/docker.sock ] || echo "$(date -u +%FT%TZ) [MONITOR] WARN: '
    "Monitor #3 'films': Failing: connect ENOENT /var/run/docker.sock{after}\"; sleep 1; done"
)


def _watch(box: Box, name: str, after: str, *options: str) -> None:
    script = _WATCHES.format(before="echo 'GET / 200 3ms'; ", after=after)
    box.docker("run", "-d", f"--name={name}", *QUIET, *options, "bb:1.36", "sh", "-c", script)


@fault("container.errors-in-log", subject="container:watch5", exit_code=0)
def monitor_without_the_engine_socket(box: Box) -> None:
    """A monitor watches containers, was not given the engine's socket, and only warns of that."""
    _watch(box, "watch5", " | Type: docker")
    box.wait_for(lambda: _count(box, "watch5", "ENOENT") > 3, what="warnings")
    command = first_command(box, "container.errors-in-log", "watch5")
    socket = "/var/run/docker.sock"
    assert command == f"diagnose recreate watch5 -- --volume={socket}:{socket} | sh"


@healthy(shareable=True)
def program_that_does_without_the_engine_socket(box: Box) -> None:
    """The same words of a program that goes on without the socket, and says so."""
    _watch(box, "watch6", ", skipping the containers")
    box.wait_for(lambda: _count(box, "watch6", "ENOENT") > 3, what="warnings")
    findings = box.diagnose("check", "container.errors-in-log", "--format", "json").findings
    assert [finding for finding in findings if finding["subject"]["name"] == "watch6"] == []


_TUNNEL = """
if (exec 3</dev/net/tun) 2>/dev/null; then echo the tunnel is up; exec sleep 1000; fi
echo 'INFO TUN device is not available: open /dev/net/tun: operation not permitted; creating it...'
exit 1
"""


def _tunnel(box: Box, name: str) -> None:
    device = ("--cap-add=NET_ADMIN", "--device=/dev/net/tun:/dev/net/tun")
    options = ("--memory=64m", "--pids-limit=64", *device)
    box.docker("run", "-d", f"--name={name}", *options, "bb:1.36", "sh", "-c", _TUNNEL)


@fault("container.device-forbidden", subject="container:tunnel7", also=["container.exits-at-start"])
def device_that_the_host_may_not_open(box: Box) -> None:
    """The host is a container of LXC whose rules do not allow the device of tunnels."""
    box.write("/run/systemd/container", "lxc\n")
    deny_device(box, 10, 200)
    _tunnel(box, "tunnel7")
    box.wait_state("tunnel7", "exited")
    findings = box.diagnose("check", "container.device-forbidden", "--format", "json").findings
    assert "this host may not either" in findings[0]["summary"], findings
    assert "lxc container" in findings[0]["summary"], findings


@healthy()
def device_that_the_host_may_open(box: Box) -> None:
    """The same program and option on a host whose rules allow the device."""
    box.write("/run/systemd/container", "lxc\n")
    _tunnel(box, "tunnel8")
    box.wait_for(lambda: _count(box, "tunnel8", "is up") > 0, what="the tunnel")


_KEYS = """
cd /srv/{name}; mkdir -p keys etc/live/shop.lab.test etc/archive/shop.lab.test
for part in cert chain fullchain privkey; do
    echo old >etc/archive/shop.lab.test/${{part}}9.pem; echo new >etc/archive/shop.lab.test/${{part}}10.pem
done
ln -s /config/etc/live/shop.lab.test keys/letsencrypt; ln -s ./letsencrypt/fullchain.pem keys/cert.crt
"""
_LOADS = (
    "while :; do if [ -s /config/keys/cert.crt ]; then cat /config/keys/cert.crt; else echo "
    '\'[emerg] 7#7: cannot load certificate "/config/keys/cert.crt": BIO_new_file() failed (SSL: '
    "error:80000002:system library::No such file or directory)'; fi; sleep 1; done"
)


def _with_keys(box: Box, name: str) -> None:
    """A web server whose supervisor starts it each second, with a certificate behind two links.

    One of them is absolute: it leads to elsewhere on the host.
    """
    box.sh(f"mkdir -p /srv/{name}; {_KEYS.format(name=name)}")
    options = (*QUIET, "--user=0", "-v", f"/srv/{name}:/config")
    box.docker("run", "-d", f"--name={name}", *options, "bb:1.36", "sh", "-c", _LOADS)


@fault("container.mount-source-missing", subject="container:proxy9", shareable=True)
def certificate_whose_links_a_copy_lost(box: Box) -> None:
    """The folder of a proxy was moved to a new server without the links in certbot's live/."""
    _with_keys(box, "proxy9")
    box.wait_for(lambda: _count(box, "proxy9", "cannot load") > 3, what="failed starts")
    command = first_command(box, "container.mount-source-missing", "proxy9")
    assert command.startswith("cd /srv/proxy9/etc/live/shop.lab.test && "), command
    box.sh(command)
    box.wait_for(lambda: _count(box, "proxy9", "new") > 0, what="the newest certificate")
    box.sh("rm /srv/proxy9/etc/live/shop.lab.test/*.pem")
    lines = _count(box, "proxy9", "cannot load")
    box.wait_for(lambda: _count(box, "proxy9", "cannot load") > lines + 3, what="failed starts")


@healthy(shareable=True)
def certificate_behind_an_absolute_link(box: Box) -> None:
    """The links are all there; one leads nowhere on the host, and well in the container. The log
    holds the failures of before."""
    _with_keys(box, "proxy8")
    box.wait_for(lambda: _count(box, "proxy8", "cannot load") > 3, what="failed starts")
    box.sh(
        "cd /srv/proxy8/etc/live/shop.lab.test && "
        "ln -s ../../archive/shop.lab.test/fullchain10.pem fullchain.pem"
    )
    box.wait_for(lambda: _count(box, "proxy8", "new") > 2, what="the certificate")


_SITE = """
error_log /data/logs/fallback_error.log warn;
server {{ listen 8080; set $server "{upstream}"; set $port 8096;
error_log /data/logs/proxy-host-1_error.log warn; root /www;
location / {{ proxy_pass http://$server:$port$request_uri; }} location /static/ {{ }} }}
"""


def _proxy_with_own_logs(box: Box, number: int, upstream: str) -> str:
    """Nginx Proxy Manager in little: its errors are in files, and `docker logs` stays empty."""
    load_server(box, "nginx", "npm:2.12")
    folder, port = f"/srv/npm{number}", 18200 + number
    box.write(f"{folder}/nginx.conf", NGINX % _SITE.format(upstream=upstream))
    box.sh(f"mkdir -p {folder}/data/logs && chmod 777 {folder}/data/logs")
    mounts = ("-v", f"{folder}/nginx.conf:/etc/nginx/nginx.conf:ro", "-v", f"{folder}/data:/data")
    box.docker("network", "create", f"npm{number}net")
    options = ("--memory=64m", "--pids-limit=64", f"--network=npm{number}net", "-p", f"{port}:8080")
    box.docker(
        *("run", "-d", f"--name=npm{number}", *options, *mounts),
        *("npm:2.12", "/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf"),
    )
    return f"http://{BOX_ADDRESS}:{port}"


def _films(box: Box, number: int, *options: str) -> None:
    serve = "mkdir -p /tmp/www; echo films >/tmp/www/index.html; exec httpd -f -p 8096 -h /tmp/www"
    image = ("bb:1.36", "sh", "-c", serve)
    box.docker("run", "-d", f"--name=films{number}", *QUIET, *options, *image)


@fault("container.loopback-peer", subject="container:npm11")
def proxy_whose_log_is_a_file(box: Box) -> None:
    """A proxy forwards to 127.0.0.1, where another container's port is published on the host; only
    its error log, a file below a mount, has the 502s."""
    _films(box, 11, "-p", "18296:8096")
    site = _proxy_with_own_logs(box, 11, "127.0.0.1")
    log = "/srv/npm11/data/logs/proxy-host-1_error.log"

    def is_refused() -> bool:
        box.provider.curl(site, check=False)
        return box.sh(f"cat {log} || true").count("refused") > 3

    box.wait_for(is_refused, what="502s")
    assert box.docker("logs", "npm11").stderr == ""
    findings = box.diagnose("check", "container.loopback-peer", "--format", "json").findings
    assert 'belongs to container "films11"' in findings[0]["summary"], findings


@healthy()
def proxy_whose_file_has_scanners_alone(box: Box) -> None:
    """The same proxy, whose upstream answers; its error log has the files that scanners ask for."""
    box.docker("network", "create", "--subnet=10.232.77.0/24", "films12net")
    _films(box, 12, "--network=films12net", "--ip=10.232.77.9")
    site = _proxy_with_own_logs(box, 12, "10.232.77.9")
    box.docker("network", "connect", "films12net", "npm12")
    log = "/srv/npm12/data/logs/proxy-host-1_error.log"

    def is_scanned() -> bool:
        box.provider.curl(f"{site}/static/.env", check=False)
        return box.sh(f"cat {log} || true").count("No such file") > 3

    box.wait_for(lambda: "films" in box.provider.curl(site, check=False), what="the films")
    box.wait_for(is_scanned, what="scans")
