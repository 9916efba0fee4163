"""Containers whose calls another container refuses, names that have moved, and web servers of the
host in front of containers; each with a look-alike that works."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.programs import install_server
from tests.lab.provider import BOX_ADDRESS, WEB
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, logs

_SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = os.environ["ALLOWED"]
        is_refused = not self.client_address[0].startswith(allowed)
        if is_refused:
            with open("/app/logs/app.log", "a") as log:
                print("refused", self.path, "for", self.client_address[0], "not in", allowed, file=log)
        self.send_response(403 if is_refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *rest):
        pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
"""It lets in the addresses that begin as a variable says, and writes of others into a file."""
_CALLER = """
import os, time, urllib.request
url = os.environ["URL"]
while True:
    try:
        urllib.request.urlopen(url, timeout=3).read()
        print("stored", flush=True)
    except OSError as error:
        print(f"ERROR call of {url} failed: HTTP Error {error.code}: {error.reason}", flush=True)
        print(f"status code {error.code} from {url}", flush=True)
    time.sleep(1)
"""


def _pair(box: Box, name: str, allowed: str) -> None:
    """A server with a list of addresses, and a container in its network that calls it."""
    box.docker("network", "create", f"{name}-net")
    box.sh(f"mkdir -p /srv/{name}; chmod 777 /srv/{name}")
    python = [*MACHINE, "bb:1.36", "/usr/bin/python3", "-c"]
    server = [f"--name={name}-store", f"--network={name}-net", f"-v=/srv/{name}:/app/logs"]
    box.docker("run", "-d", *GOOD, *server, f"-e=ALLOWED={allowed}", *python, _SERVER)
    caller = [f"--name={name}", f"--network={name}-net", f"-e=URL=http://{name}-store:8080/files/7"]
    box.docker("run", "-d", *GOOD, *caller, *python, _CALLER)


@fault("container.calls-turned-away", subject="container:scan9", shareable=True)
def caller_that_a_neighbour_does_not_let_in(box: Box) -> None:
    """The server's list of addresses lacks its neighbour's; the reason stands in a file."""
    _pair(box, "scan9", "127.")
    box.wait_for(lambda: logs(box, "scan9").count("403") > 8, what="the refusals")
    assert "refused /files/7" in box.read("/srv/scan9/app.log")


@healthy(shareable=True)
def caller_that_a_neighbour_lets_in(box: Box) -> None:
    """The same pair, and the list has the neighbour's network."""
    _pair(box, "scan8", "1")
    box.wait_for(lambda: logs(box, "scan8").count("stored") > 4, what="the calls")


_MOVED = """
import socket, time
address = socket.gethostbyname("api.lab.test")
while True:
    try:
        socket.create_connection((address, 80), timeout=3).close()
        print("fetched", flush=True)
    except OSError as error:
        print(f"connect to api.lab.test:80 [api.lab.test/{address}] failed: {error}", flush=True)
    time.sleep(1)
"""


def _client_of_a_moved_service(box: Box, name: str, *, starts_again: bool) -> None:
    old = "192.0.2.70"  # the machine is there, and nothing listens at port 80
    box.provider.sh(f"ip addr add {old}/24 dev uplink")
    box.provider.dns_stop()
    box.provider.dns_start(f"--address=/api.lab.test/{old}")
    program = ["bb:1.36", "/usr/bin/python3", "-c", _MOVED]
    box.docker("run", "-d", f"--name={name}", *GOOD, *MACHINE, *program)
    box.wait_for(lambda: logs(box, name), what="its first line")
    box.provider.dns_stop()
    box.provider.dns_start()
    if starts_again:
        box.docker("restart", name)


@fault("network.calls-failing", subject="container:ledger9")
def program_that_keeps_an_old_address(box: Box) -> None:
    """A service has moved, DNS says so, and a program calls the address of its start."""
    _client_of_a_moved_service(box, "ledger9", starts_again=False)
    box.wait_for(lambda: logs(box, "ledger9").count("failed") > 4, what="the failed calls")
    assert WEB in box.sh("getent ahosts api.lab.test")


@healthy()
def program_that_asks_for_the_name_again(box: Box) -> None:
    """The same program, started again since."""
    _client_of_a_moved_service(box, "ledger8", starts_again=True)
    box.wait_for(lambda: logs(box, "ledger8").count("fetched") > 4, what="its calls")


_LOGIN = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header("Set-Cookie", "SESSION=" + "e" * 6000)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *rest):
        pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
_FRONT = """
user root; pid /run/nginx.pid; error_log /var/log/nginx/error.log; events {}
http { access_log off; include /etc/nginx/conf.d/*.conf;
server { listen 8090; location / { proxy_pass http://127.0.0.1:8492; } } }
"""


def _login_behind_nginx_of_the_host(box: Box, name: str, directives: str) -> None:
    install_server(box, "nginx")
    publish = ["-p", "127.0.0.1:8492:8080"]
    program = ["bb:1.36", "/usr/bin/python3", "-c", _LOGIN]
    box.docker("run", "-d", f"--name={name}", *GOOD, *publish, *MACHINE, *program)
    box.sh("mkdir -p /etc/nginx/conf.d /var/log/nginx /var/lib/nginx")
    box.write("/etc/nginx/nginx.conf", _FRONT)
    box.write("/etc/nginx/conf.d/size.conf", directives)
    box.sh("/usr/sbin/nginx")


def _status(box: Box) -> str:
    ask = f"curl -s -o /dev/null -w '%{{http_code}}' -m 3 http://{BOX_ADDRESS}:8090/ || :"
    return box.provider.sh(ask)


@fault("network.host-proxy-fails", subject="container:login9")
def nginx_of_the_host_that_has_no_room_for_a_header(box: Box) -> None:
    """The answers of a container have more in their head than nginx takes by default."""
    _login_behind_nginx_of_the_host(box, "login9", "")
    box.wait_for(lambda: _status(box) == "502", what="nginx to answer 502")
    for _ in range(4):
        _status(box)


@healthy()
def nginx_of_the_host_with_room_for_a_header(box: Box) -> None:
    """The same, and nginx has larger buffers."""
    sizes = "proxy_buffer_size 32k; proxy_buffers 8 32k; proxy_busy_buffers_size 64k;"
    _login_behind_nginx_of_the_host(box, "login8", sizes)
    box.wait_for(lambda: _status(box) == "302", what="the login")
    for _ in range(4):
        _status(box)


_LIMITED = """
user root; pid /run/nginx.pid; error_log /var/log/nginx/error.log; events {}
http { access_log off;
server { listen 8090; %s location / { proxy_pass http://127.0.0.1:8493; } } }
"""


def _store_behind_nginx_of_the_host(box: Box, name: str, directives: str) -> None:
    install_server(box, "nginx")
    server = ["-p", "127.0.0.1:8493:8080", *MACHINE, "bb:1.36", "/usr/bin/python3", "-c", _STORE]
    box.docker("run", "-d", f"--name={name}", *GOOD, *server)
    box.sh("mkdir -p /var/log/nginx /var/lib/nginx")
    box.write("/etc/nginx/nginx.conf", _LIMITED % directives)
    box.sh("/usr/sbin/nginx")


_STORE = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        left = int(self.headers["Content-Length"])
        while left > 0:
            left -= len(self.rfile.read(min(left, 65536)))
        self.do_GET()
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *rest):
        pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


def _upload(box: Box) -> str:
    """The status of an upload of 3 MB."""
    return box.provider.sh(
        "head -c 3000000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' -m 5 -T - "
        f"-H 'Expect:' http://{BOX_ADDRESS}:8090/files/photo.jpg || :"
    )


@fault("network.host-proxy-fails", subject="container:store9")
def nginx_of_the_host_that_refuses_uploads(box: Box) -> None:
    """nginx of the host takes 1 MB, as it does by default, and the container would take more."""
    _store_behind_nginx_of_the_host(box, "store9", "")
    box.wait_for(lambda: _upload(box) == "413", what="the refusal")
    for _ in range(3):
        _upload(box)
    command = first_command(box, "network.host-proxy-fails", "store9")
    box.sh(command)
    box.wait_for(lambda: _upload(box) == "200", what=f"an upload after {command}")
    box.write("/etc/nginx/nginx.conf", _LIMITED % "")
    box.sh("/usr/sbin/nginx -s reload")
    box.wait_for(lambda: _upload(box) == "413", what="the refusal again")


@healthy()
def nginx_of_the_host_that_takes_uploads(box: Box) -> None:
    """The same with a limit that the uploads fit in; one of them is larger than that."""
    _store_behind_nginx_of_the_host(box, "store8", "client_max_body_size 4m;")
    box.wait_for(lambda: _upload(box) == "200", what="the upload")
    large = "head -c 9000000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' -m 5 -T - "
    assert box.provider.sh(f"{large} http://{BOX_ADDRESS}:8090/films/1 || :") == "413"


def _app_at_a_port_that_the_engine_chooses(box: Box) -> None:
    box.docker("run", "-d", "--name=app9", *GOOD, "-p", "8080", "shop:1.4")


@fault("network.host-proxy-fails", subject="container:app9")
def nginx_of_the_host_before_a_port_that_was_chosen_anew(box: Box) -> None:
    """The engine gives a recreated container another port of the host, and nginx the old one."""
    install_server(box, "nginx")
    _app_at_a_port_that_the_engine_chooses(box)
    (port,) = {
        item["HostPort"] for item in box.inspect("app9")["NetworkSettings"]["Ports"]["8080/tcp"]
    }
    box.sh("mkdir -p /etc/nginx/conf.d /var/log/nginx /var/lib/nginx")
    box.write("/etc/nginx/nginx.conf", _FRONT.replace("8492", port))
    box.sh("/usr/sbin/nginx")
    box.wait_for(lambda: _status(box) == "200", what="the app")
    box.docker("rm", "-f", "app9")
    _app_at_a_port_that_the_engine_chooses(box)
    for _ in range(4):
        assert _status(box) == "502"
    typed(box, first_command(box, "network.host-proxy-fails", "app9"))
    box.wait_for(lambda: _status(box) == "200", what="the app after the command")
    box.docker("rm", "-f", "app9")
    _app_at_a_port_that_the_engine_chooses(box)
    for _ in range(4):
        assert _status(box) == "502"
