"""Real nginx before programs that it does not tell how their clients came; and healthy twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.programs import install_server, load_server
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.real_servers import NGINX

SAFE = ("--memory=96m", "--pids-limit=64")
_SERVER = """
import http.server, os, time

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, *headers):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()
        print('%s - - [%s] "%s %s %s" %d 0 "-" "%s"' % (
            self.client_address[0], time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            self.command, self.path, self.request_version, status, self.headers["User-Agent"]),
            flush=True)
    def do_GET(self):
        if self.path.startswith("/ws"):
            is_asked = self.headers.get("Upgrade", "").lower() == "websocket"
            self.answer(101 if is_asked else 400)
        elif self.path.startswith("/me"):
            self.answer(200 if "session=1" in self.headers.get("Cookie", "") else 401)
        elif self.path == "/oauth/github":
            self.answer(302, ("Location", "https://accounts.lab.test/"))
        else:
            self.answer(200)
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        secure = "; Secure" if self.headers.get("X-Forwarded-Proto") == "https" else ""
        cookie = ("Set-Cookie", "session=1; Path=/" + secure)
        self.answer(200, *([cookie] if secure else []))
    def log_message(self, *rest):
        pass

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
"""It knows WebSocket, and gives its cookie to those alone who come by HTTPS, as the sessions of
Express do."""
_TO = "proxy_pass http://{to}:8000;"
_TLS = "listen 443 ssl; ssl_certificate /certs/cert.pem; ssl_certificate_key /certs/key.pem;"
_SCHEME = "proxy_set_header X-Forwarded-Proto $scheme;"
_UPGRADE = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    'proxy_set_header Connection "upgrade";'
)
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def _program(box: Box, name: str, net: str) -> None:
    box.docker("network", "create", net)
    box.docker(
        "run", "-d", f"--name={name}", f"--network={net}", *SAFE, *MACHINE, "bb:1.36",
        "/usr/bin/python3", "-uc", _SERVER,
    )  # fmt: skip


def site_of(box: Box, name: str, server: str, *options: str, included: str = "") -> None:
    """nginx with this site, whose file is mounted for reading.

    included: what stands before the site.
    """
    load_server(box, "nginx", "nginx:1.22")
    settings = (
        NGINX.replace("access_log off", "access_log /dev/stdout combined")
        % f"{included} server {{ {server} }}"
    )
    box.write(f"/srv/{name}/nginx.conf", settings)
    mount = f"/srv/{name}/nginx.conf:/etc/nginx/nginx.conf:ro"
    box.docker(
        "run", "-d", f"--name={name}", *SAFE, "-e", "PATH=/bin:/usr/bin:/usr/sbin", "-v", mount,
        *options, "nginx:1.22", "/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf",
    )  # fmt: skip


def browse(box: Box, url: str, *options: str) -> str:
    """The status that a browser outside gets."""
    words = ["curl", "-sk", "--noproxy", "*", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}"]
    words += ["-A", _BROWSER, "--resolve", f"site.lab.test:443:{BOX_ADDRESS}", *options, url]
    return str(box.provider.run(words, check=False).stdout)


def _chat(box: Box, number: int, headers: str) -> None:
    """A chat behind nginx, and a browser that asks it for WebSocket."""
    _program(box, f"chat{number}", f"chat{number}net")
    inside = f"{headers} {_TO.format(to=f'chat{number}')}"
    publish = ["-p", f"{8000 + number}:80", f"--network=chat{number}net"]
    site_of(box, f"front{number}", f"listen 80; location / {{ {inside} }}", *publish)
    url = f"http://{BOX_ADDRESS}:{8000 + number}"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the chat")
    wants = ["-H", "Upgrade: websocket", "-H", "Connection: Upgrade"]
    expected = "101" if headers else "400"
    for _ in range(6):
        assert browse(box, f"{url}/ws/room", *wants) == expected


@fault("network.upgrade-not-passed-on", subject="container:chat71", shareable=True)
def websocket_behind_nginx_without_its_header(box: Box) -> None:
    """nginx passes everything on but the header Upgrade: the chat answers 400."""
    _chat(box, 71, "")
    command = first_command(box, "network.upgrade-not-passed-on", "chat71")
    box.sh(command)
    url = f"http://{BOX_ADDRESS}:8071/ws/room"
    wants = ["-H", "Upgrade: websocket", "-H", "Connection: Upgrade"]
    box.wait_for(lambda: browse(box, url, *wants) == "101", what="WebSocket after the command")
    broken = NGINX % f"server {{ listen 80; location / {{ {_TO.format(to='chat71')} }} }}"
    box.write("/srv/front71/nginx.conf", broken)
    box.docker("restart", "-t", "1", "chat71", "front71")
    url = f"http://{BOX_ADDRESS}:8071"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the chat again")
    for _ in range(6):
        assert browse(box, f"{url}/ws/room", *wants) == "400"


_MISNAMED = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $connection_upgrade; "
    "proxy_set_header Connection $connection_upgrade;"
)
_MAP = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }"


def _mapped_chat(box: Box, number: int, headers: str) -> None:
    """A chat behind nginx that takes the value of Connection from a map, and its first page."""
    _program(box, f"chat{number}", f"chat{number}net")
    inside = f"listen 80; location / {{ {headers} {_TO.format(to=f'chat{number}')} }}"
    publish = ["-p", f"{8000 + number}:80", f"--network=chat{number}net"]
    site_of(box, f"front{number}", inside, *publish, included=_MAP)
    url = f"http://{BOX_ADDRESS}:{8000 + number}/"
    box.wait_for(lambda: browse(box, url) == "200", what="the chat")


_WANTS_SOCKET = ("-H", "Upgrade: websocket", "-H", "Connection: Upgrade")


@fault("network.upgrade-not-passed-on", subject="container:chat73", shareable=True)
def websocket_behind_nginx_with_the_value_of_another_header(box: Box) -> None:
    """nginx sets Upgrade to the variable that is meant for Connection: the chat answers 400."""
    _mapped_chat(box, 73, _MISNAMED)
    url = f"http://{BOX_ADDRESS}:8073/ws/room"
    assert [browse(box, url, *_WANTS_SOCKET) for _ in range(6)] == ["400"] * 6
    command = first_command(box, "network.upgrade-not-passed-on", "chat73")
    assert "Upgrade $http_upgrade" in command, command


@healthy(shareable=True)
def websocket_behind_nginx_with_both_values(box: Box) -> None:
    """The same with the client's own value in Upgrade."""
    _mapped_chat(box, 74, _MISNAMED.replace("$connection_upgrade", "$http_upgrade", 1))
    url = f"http://{BOX_ADDRESS}:8074/ws/room"
    assert [browse(box, url, *_WANTS_SOCKET) for _ in range(6)] == ["101"] * 6


def _chat_behind_the_host(box: Box, number: int, headers: str) -> None:
    """A chat that is published for nginx of the host, as packages install that."""
    _program(box, f"chat{number}", f"chat{number}net")
    to_chat = f"listen 8000; location / {{ {_UPGRADE} {_TO.format(to=f'chat{number}')} }}"
    publish = ["-p", f"127.0.0.1:{8000 + number}:8000", f"--network=chat{number}net"]
    site_of(box, f"inner{number}", to_chat, *publish)
    install_server(box, "nginx")
    box.sh("mkdir -p /etc/nginx /var/log/nginx /var/lib/nginx")
    site = f"listen 80; location / {{ {headers} proxy_pass http://127.0.0.1:{8000 + number}; }}"
    logs = "access_log /var/log/nginx/access.log; error_log /var/log/nginx/error.log;"
    settings = (
        f"user root; pid /run/nginx.pid; events {{}}\nhttp {{ {logs} server {{ {site} }} }}\n"
    )
    box.write("/etc/nginx/nginx.conf", settings)
    box.spawn(["/usr/sbin/nginx", "-g", "daemon off;"])
    box.wait_for(lambda: browse(box, f"http://{BOX_ADDRESS}/") == "200", what="the chat")


@fault("network.upgrade-not-passed-on", subject="container:inner75")
def websocket_behind_nginx_of_the_host_without_its_header(box: Box) -> None:
    """nginx of the host does not pass Upgrade on, and the program itself logs no requests."""
    _chat_behind_the_host(box, 75, "")
    url = f"http://{BOX_ADDRESS}/ws/room"
    assert [browse(box, url, *_WANTS_SOCKET) for _ in range(6)] == ["400"] * 6


@healthy(advice=None)
def websocket_behind_nginx_of_the_host_with_its_header(box: Box) -> None:
    """The same with the header."""
    _chat_behind_the_host(box, 76, _UPGRADE)
    url = f"http://{BOX_ADDRESS}/ws/room"
    assert [browse(box, url, *_WANTS_SOCKET) for _ in range(6)] == ["101"] * 6


@healthy(shareable=True)
def websocket_behind_nginx_with_its_header(box: Box) -> None:
    """The same with the header."""
    _chat(box, 72, _UPGRADE)


def certificate(box: Box, name: str) -> None:
    """A certificate for site.lab.test and its key, in /srv below that name."""
    box.sh(
        f"mkdir -p /srv/{name} && cd /srv/{name} && openssl req -x509 -newkey ec "
        "-pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 300 -subj /CN=site.lab.test "
        "-keyout key.pem -out cert.pem 2>/dev/null && chmod 644 key.pem"
    )


def _site(box: Box, number: int, inner: str) -> str:
    """A shop behind an nginx of its stack, behind another one that ends HTTPS; its URL."""
    net = f"shop{number}net"
    _program(box, f"shop{number}", net)
    to_shop = f"listen 80; location / {{ {inner} {_TO.format(to=f'shop{number}')} }}"
    site_of(box, f"inner{number}", to_shop, f"--network={net}")
    certificate(box, f"outer{number}")
    inside = f"location / {{ {_SCHEME} proxy_pass http://inner{number}; }}"
    publish = ["-p", "443:443", f"--network={net}", "-v", f"/srv/outer{number}:/certs:ro"]
    site_of(box, f"outer{number}", f"{_TLS} {inside}", *publish)
    url = "https://site.lab.test"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the shop")
    return url


def _log_in(box: Box, url: str) -> str:
    """What the shop answers to the one who has just logged in."""
    jar = ["-b", "/tmp/jar", "-c", "/tmp/jar"]
    assert browse(box, f"{url}/login", *jar, "-d", "user=me") == "200"
    return browse(box, f"{url}/me", *jar)


@fault("network.https-not-passed-on", subject="container:shop73")
def login_behind_an_nginx_that_says_http(box: Box) -> None:
    """The nginx of a stack overwrites what the one before it says: nobody stays logged in."""
    url = _site(box, 73, _SCHEME)
    for _ in range(5):
        assert _log_in(box, url) == "401"
    box.write("/root/before", box.sh("cat /srv/inner73/nginx.conf"))
    box.sh(first_command(box, "network.https-not-passed-on", "shop73"))
    box.wait_for(lambda: _log_in(box, url) == "200", what="the login after the command")
    box.sh("cat /root/before >/srv/inner73/nginx.conf")
    box.docker("restart", "-t", "1", "inner73", "shop73")
    box.provider.sh("rm -f /tmp/jar")
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the shop again")
    for _ in range(5):
        assert _log_in(box, url) == "401"


@healthy()
def login_behind_an_nginx_that_passes_the_scheme_on(box: Box) -> None:
    """The same, and the inner nginx passes on what the outer one says."""
    url = _site(box, 74, "proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;")
    for _ in range(5):
        assert _log_in(box, url) == "200"


def _books(box: Box, number: int, headers: str) -> None:
    """A program that sends its clients elsewhere to sign in, behind an nginx that ends HTTPS."""
    _program(box, f"books{number}", f"books{number}net")
    certificate(box, f"edge{number}")
    inside = f"location / {{ {headers} {_TO.format(to=f'books{number}')} }}"
    options = ["-p", "443:443", f"--network=books{number}net", "-v", f"/srv/edge{number}:/certs:ro"]
    site_of(box, f"edge{number}", f"{_TLS} {inside}", *options)
    box.wait_for(lambda: browse(box, "https://site.lab.test/") == "200", what="the books")
    for _ in range(5):
        assert browse(box, "https://site.lab.test/oauth/github") == "302"


@fault("network.https-not-passed-on", subject="container:books75")
def sign_in_behind_an_nginx_that_says_nothing(box: Box) -> None:
    """The address of return begins with http://, so that the identity provider refuses it."""
    _books(box, 75, "proxy_set_header Host $host;")


@healthy()
def sign_in_behind_an_nginx_that_tells(box: Box) -> None:
    """The same with the header; the visitors changed their minds."""
    _books(box, 76, f"proxy_set_header Host $host; {_SCHEME}")
