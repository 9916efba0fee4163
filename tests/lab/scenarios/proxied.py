"""Reverse proxies that get no good answer from a program, and a VPN client that cannot start."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import PATIENT
from tests.lab.scenarios.everyday.helpers import first_command, status_outside
from tests.lab.scenarios.known_rows import folder
from tests.lab.scenarios.named_settings import AT_START
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, logs
from tests.lab.scenarios.real_servers import nginx

CHECK = "container.errors-in-log"
PYTHON = "/usr/bin/python3"
_PROGRAM = "import http.server, time\n"
_SLOW = f"""{_PROGRAM}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(3 if "report" in self.path else 0)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"done")

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


def _program(box: Box, name: str, code: str, *options: str) -> None:
    """A container of a network of its own, with a program that is written in Python."""
    box.docker("network", "create", f"{name}net")
    limits = ("--memory=64m", "--pids-limit=64", f"--net={name}net")
    box.docker(
        "run", "-d", f"--name={name}", *limits, *MACHINE, *options, "bb:1.36", PYTHON, "-c", code
    )


_GATE = """include /etc/nginx/conf.d/*.conf;
server { listen 8080; location / { proxy_pass http://%s:8080; %s } }"""


def _gate(box: Box, name: str, behind: str, port: int, *, limit: str = "") -> None:
    """nginx before a program, with a folder for settings of its own."""
    conf = folder(box, f"{name}conf")
    path = "--env=PATH=/bin:/usr/bin:/usr/sbin"
    mount = ("-v", f"{conf}:/etc/nginx/conf.d")
    nginx(
        box, name, _GATE % (behind, limit), path, f"--net={behind}net", "-p", f"{port}:8080", *mount
    )
    box.wait_for(lambda: status_outside(box, port, "/") == "200", what="nginx to answer")


@fault(CHECK, subject="container:gate17", shareable=True)
def nginx_that_waits_too_short(box: Box) -> None:
    """A real nginx answers 504 to requests that take longer than it waits; its site says how long,
    so that the report's command has no effect and shows where."""
    _program(box, "reports17", _SLOW)
    _gate(box, "gate17", "reports17", 8417, limit="proxy_read_timeout 1s;")
    for _ in range(4):
        assert status_outside(box, 8417, "/report?month=11") == "504"
    command = first_command(box, CHECK, "gate17")
    done = box.run(["sh", "-c", command], check=False)
    assert done.returncode == 1
    assert "proxy_read_timeout 1s" in done.stdout
    assert not box.sh("ls /srv/gate17conf")


@healthy(shareable=True)
def nginx_with_one_slow_answer(box: Box) -> None:
    """The same nginx, where one request of many was too slow."""
    _program(box, "reports18", _SLOW)
    _gate(box, "gate18", "reports18", 8418, limit="proxy_read_timeout 1s;")
    assert status_outside(box, 8418, "/report") == "504"
    for _ in range(4):
        assert status_outside(box, 8418, "/") == "200"


_PANEL = """
import socket, ssl, threading, time
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/certs/both.pem")

def serve(client, address):
    try:
        if client.recv(1, socket.MSG_PEEK) == b"\\x16":
            client = context.wrap_socket(client, server_side=True)
            client.recv(4096)
            client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\npanel")
        else:
            client.recv(4096)
            place = "%s:%d" % address
            print(time.strftime("%Y/%m/%d %H:%M:%S"), "http: TLS handshake error from",
                  place + ": client sent an HTTP request to an HTTPS server", flush=True)
            client.sendall(b"HTTP/1.0 400 Bad Request\\r\\n\\r\\n"
                           b"Client sent an HTTP request to an HTTPS server.\\n")
    except OSError:
        pass
    client.close()

server = socket.create_server(("0.0.0.0", 8080))
while True:
    threading.Thread(target=serve, args=server.accept(), daemon=True).start()
"""


def _certificate(box: Box, name: str) -> None:
    """A certificate with its key in /srv/NAME/both.pem."""
    box.sh(f"""mkdir -p /srv/{name}; cd /srv/{name}
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN={name} \
        -keyout key.pem -out cert.pem 2>/dev/null
    cat key.pem cert.pem >both.pem; chmod 644 both.pem""")


def _panel(box: Box, name: str) -> None:
    """A server of TLS that refuses plain HTTP in the words of Go's."""
    _certificate(box, name)
    _program(box, name, _PANEL, "-v", f"/srv/{name}:/certs:ro")


@fault(CHECK, subject="container:panel17", shareable=True)
def proxy_that_speaks_plain_http_to_tls(box: Box) -> None:
    """A real nginx calls the TLS port of a server by http://: each of its clients gets 400."""
    _panel(box, "panel17")
    site = "server { listen 8080; location / { proxy_pass http://panel17:8080; } }"
    nginx(box, "door17", site, "--net=panel17net", "-p", "8427:8080")
    box.wait_for(lambda: status_outside(box, 8427, "/") == "400", what="the refusal")
    for _ in range(4):
        assert status_outside(box, 8427, "/") == "400"
    assert logs(box, "panel17").count("HTTP request to an HTTPS server") >= 4


@healthy(shareable=True)
def tls_server_that_is_called_by_tls(box: Box) -> None:
    """The same server behind a proxy that speaks TLS to it; somebody once typed http://."""
    _panel(box, "panel18")
    site = "server { listen 8080; location / { proxy_pass https://panel18:8080; } }"
    nginx(box, "door18", site, "--net=panel18net", "-p", "8428:8080")
    box.wait_for(lambda: status_outside(box, 8428, "/") == "200", what="the answer")
    address = box.inspect("panel18")["NetworkSettings"]["Networks"]["panel18net"]["IPAddress"]
    box.sh(f"curl -s -m 3 -o /dev/null http://{address}:8080/ || true")
    assert "HTTP request to an HTTPS server" in logs(box, "panel18")


_BALANCER = """#!/bin/sh
# asks as HAProxy does; the words are those of HAProxy 2.6
down() { echo "[WARNING]  (7) : Server shop/app1 is DOWN, reason: Layer7 wrong status, code: 404, \\
info: \\"Not Found\\", check duration: 9ms. 0 active and 0 backup servers left. 0 sessions active."
echo "[ALERT]    (7) : backend 'shop' has no server available!"; }
up() { echo "[WARNING]  (7) : Server shop/app1 is UP, reason: Layer7 check passed, code: 200."; }
echo "[NOTICE]   (1) : Loading success."
state=
while :; do
    if wget -q -O /dev/null "http://$1:8080/health"; then now=up; else now=down; fi
    [ "$now" = "$state" ] || $now
    state=$now
    sleep 1
done
"""


def _balancer(box: Box, name: str, server: str) -> None:
    """HAProxy, which asks a server for /health."""
    load(box, "haproxy:2.6", Recipe({"usr/sbin/haproxy": (_BALANCER.encode(), 0o755)}))
    limits = ("--memory=64m", "--pids-limit=64", f"--net={server}net")
    box.docker("run", "-d", f"--name={name}", *limits, "haproxy:2.6", "/usr/sbin/haproxy", server)


def _checked(box: Box, name: str) -> None:
    """A web server on a network of its own."""
    box.docker("network", "create", f"{name}net")
    limits = ("--memory=64m", "--pids-limit=64", f"--net={name}net")
    box.docker("run", "-d", f"--name={name}", *limits, "shop:1.4")


@fault("container.failing-inside", subject="container:lb17", shareable=True)
def balancer_that_asks_for_a_path_that_is_not_there(box: Box) -> None:
    """HAProxy asks a shop for /health, which the shop does not have, and sends nobody there."""
    _checked(box, "stall17")
    _balancer(box, "lb17", "stall17")
    box.wait_for(lambda: "no server available" in logs(box, "lb17"), what="the check")
    address = box.inspect("stall17")["NetworkSettings"]["Networks"]["stall17net"]["IPAddress"]
    assert box.sh(f"curl -s -m 3 http://{address}:8080/") == "hello\n"


@healthy(shareable=True)
def balancer_whose_server_came_later(box: Box) -> None:
    """The same, where the shop has got the path."""
    _checked(box, "stall18")
    _balancer(box, "lb18", "stall18")
    box.wait_for(lambda: "no server available" in logs(box, "lb18"), what="the check")
    box.sh("echo ok >/srv/health18")
    box.docker("cp", "/srv/health18", "stall18:/www/health")
    box.wait_for(lambda: "is UP" in logs(box, "lb18"), what="the next check")


_BLOG = """
import http.server, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_safe = self.headers.get("X-Forwarded-Proto") == "https"
        now = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        status = 200 if is_safe else 301
        print('%s - - [%s] "GET %s HTTP/1.0" %d 425 "-" "Firefox/128.0"'
              % (self.client_address[0], now, self.path, status), flush=True)
        self.send_response(status)
        if not is_safe:
            self.send_header("Location", "https://%s%s" % (self.headers["Host"], self.path))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


def _blog(box: Box, header: str) -> None:
    """A blog that wants HTTPS, behind a real nginx that ends HTTPS; its access log is Apache's."""
    _program(box, "blog17", _BLOG)
    _certificate(box, "edge17")
    box.sh("chmod 755 /srv/edge17")
    site = (
        "server { listen 8443 ssl; ssl_certificate /certs/both.pem; ssl_certificate_key "
        f"/certs/both.pem; location / {{ {header} proxy_set_header Host $host; "
        "proxy_pass http://blog17:8080; } }"
    )
    more = ("-v", "/srv/edge17:/certs:ro", "--env=PATH=/bin:/usr/bin:/usr/sbin")
    nginx(box, "edge17", site, "--net=blog17net", "-p", "443:8443", *more)
    box.wait_for(lambda: _over_https(box, 0) in ("301", "200"), what="nginx to answer")


def _over_https(box: Box, redirects: int) -> str:
    """The code that a browser gets which follows redirects."""
    name = f"blog.lab.test:443:{BOX_ADDRESS}"
    curl = ["curl", "-sk", "--noproxy", "*", "-m", "8", "-o", "/dev/null", "-w", "%{http_code}"]
    follow = ["-L", "--max-redirs", str(redirects)] if redirects else []
    url = "https://blog.lab.test/login"
    return box.provider.run([*curl, *follow, "--resolve", name, url], check=False).stdout


@fault("network.redirect-loop", subject="container:blog17", args=PATIENT)
def proxy_that_does_not_say_https(box: Box) -> None:
    """A browser is sent to the address that it has just called, until it gives up."""
    _blog(box, "")
    assert _over_https(box, 20) == "301"
    place = box.inspect("blog17")["NetworkSettings"]["Networks"]["blog17net"]["IPAddress"]
    asked = f"curl -s -o /dev/null -w '%{{http_code}}' http://{place}:8080/up"
    assert (box.sh(asked), box.sh(f"{asked} -H 'X-Forwarded-Proto: https'")) == ("301", "200")
    assert _over_https(box, 20) == "301"
    broken = box.sh("cat /srv/edge17/nginx.conf")
    box.sh(first_command(box, "network.redirect-loop", "blog17"))
    box.wait_for(lambda: _over_https(box, 20) == "200", what="the page after the command")
    box.write("/srv/edge17/nginx.conf", broken)
    box.docker("restart", "-t", "1", "edge17", "blog17")
    box.wait_for(lambda: _over_https(box, 0) == "301", what="nginx to answer again")
    assert _over_https(box, 20) == "301"


@healthy(args=PATIENT)
def proxy_that_says_https(box: Box) -> None:
    """The same blog with the header, and a monitor that calls it by HTTP each second."""
    _blog(box, "proxy_set_header X-Forwarded-Proto $scheme;")
    assert _over_https(box, 20) == "200"
    address = box.inspect("blog17")["NetworkSettings"]["Networks"]["blog17net"]["IPAddress"]
    box.sh(
        f"for _ in 1 2 3 4 5 6 7 8 9; do curl -s http://{address}:8080/up; sleep 1; done",
        timeout=30,
    )


_QUICK = """
echo '[#] ip link add wg0 type wireguard'
echo '[#] sysctl -q net.ipv4.conf.all.src_valid_mark=1'
[ "$(sysctl -n net.ipv4.conf.all.src_valid_mark)" = 1 ] ||
    sysctl -w net.ipv4.conf.all.src_valid_mark=1 || { echo '[#] ip link delete dev wg0'; exit 1; }
exec sleep 1000
"""


@fault("container.option-missing", subject="container:tunnel17", also=[AT_START], shareable=True)
def kernel_setting_that_a_container_may_not_change(box: Box) -> None:
    """wg-quick sets a kernel setting, and /proc/sys is read-only in a container."""
    load(box, "wireguard:1.0", Recipe())
    words = ("wireguard:1.0", "sh", "-c", _QUICK)
    options = [option for option in GOOD if not option.startswith("--user")]
    box.docker("run", "-d", "--name=tunnel17", *options, "--cap-add=NET_ADMIN", *words)
    assert box.wait_state("tunnel17", "exited")["State"]["ExitCode"] == 1
    assert "Read-only file system" in logs(box, "tunnel17")
    setting = "--sysctl=net.ipv4.conf.all.src_valid_mark=1"
    command = first_command(box, "container.option-missing", "tunnel17")
    assert command == f"diagnose recreate tunnel17 -- {setting} | sh"
    given = ("--name=tunnel18", setting, *options, "--cap-add=NET_ADMIN", *words)
    box.docker("run", "-d", *given)
    assert box.wait_state("tunnel18", "running")["State"]["Running"]
    box.docker("rm", "-f", "tunnel18")


_STRICT = """
if [ "$(cat /proc/sys/net/ipv4/conf/all/rp_filter)" != 2 ]; then
    echo '[ERROR   ] Invalid sysctl, net.ipv4.conf.all.rp_filter!=2'
    echo '[ERROR   ] If using docker/podman add --sysctl net.ipv4.conf.all.rp_filter=2 flag to your run command'
    echo "[ERROR   ] If using docker-compose add 'net.ipv4.conf.all.rp_filter: 2' under 'sysctls'."
    exit 1
fi
exec sleep 1000
"""


@fault("container.option-missing", subject="container:wire19", also=[AT_START], shareable=True)
def option_that_the_program_advises(box: Box) -> None:
    """A program ends because of a kernel setting, and says which option of `docker run` it
    needs."""
    load(box, "wire:7", Recipe())
    words = ("wire:7", "sh", "-c", _STRICT)
    strict = "--sysctl=net.ipv4.conf.all.rp_filter=1"
    box.docker("run", "-d", "--name=wire19", *GOOD, strict, *words)
    assert box.wait_state("wire19", "exited")["State"]["ExitCode"] == 1
    assert "add --sysctl" in logs(box, "wire19")
    setting = "--sysctl=net.ipv4.conf.all.rp_filter=2"
    command = first_command(box, "container.option-missing", "wire19")
    assert command == f"diagnose recreate wire19 -- {setting} | sh"
    box.docker("run", "-d", "--name=wire20", setting, *GOOD, *words)
    assert box.wait_state("wire20", "running")["State"]["Running"]
    box.docker("rm", "-f", "wire20")
