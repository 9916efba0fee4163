"""Streams of events behind a real nginx, which holds them back; and their healthy twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE, browse, site_of

CHECK = "network.events-held-back"
_SERVER = """
import http.server, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if STATUS != 200 and "session" not in self.headers.get("Cookie", ""):
            self.send_response_only(STATUS)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response_only(200)
        self.send_header("Content-Type", "text/event-stream")
        for name, value in HEADERS:
            self.send_header(name, value)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"data: tick\\n\\n")
                time.sleep(0.3)
        except OSError:
            pass
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()
    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
_PASSED = "proxy_pass http://feed{number}:8000;"


def _feed(box: Box, number: int, settings: str = "", headers: str = "()", status: int = 200) -> str:
    """A program that sends an event each third of a second, behind nginx; its URL."""
    net, feed = f"net{number}", f"feed{number}"
    box.docker("network", "create", net)
    program = _SERVER.replace("HEADERS", headers).replace("STATUS", str(status))
    words = ("bb:1.36", "/usr/bin/python3", "-uc", program)
    box.docker("run", "-d", f"--name={feed}", f"--network={net}", *SAFE, *MACHINE, *words)
    passed = f"{settings} {_PASSED.format(number=number)}"
    site = f"listen 80; location = / {{ return 200 page; }} location /api/ {{ {passed} }}"
    site_of(box, f"edge{number}", site, "-p", f"{8000 + number}:80", f"--network={net}")
    url = f"http://{BOX_ADDRESS}:{8000 + number}"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the page")
    return f"{url}/api/events"


def _received(box: Box, url: str, *options: str) -> int:
    """How many events a client gets in two seconds, for whom the page of the site asks."""
    usual = ["-sN", "--noproxy", "*", "-m", "2", "-e", url, "-b", "session=1"]
    words = ["curl", *usual, *options, url]
    return str(box.provider.run(words, check=False).stdout).count("tick")


@fault(CHECK, subject="container:feed81")
def events_behind_nginx(box: Box) -> None:
    """nginx collects the events of a live view until its buffer is full."""
    url = _feed(box, 81)
    for _ in range(4):
        assert _received(box, url) == 0
    box.write("/root/before", box.sh("cat /srv/edge81/nginx.conf"))
    box.sh(first_command(box, CHECK, "feed81"))
    box.wait_for(lambda: _received(box, url) > 0, what="events after the command")
    box.sh("cat /root/before >/srv/edge81/nginx.conf")
    box.docker("restart", "-t", "1", "edge81")
    for _ in range(4):
        assert _received(box, url) == 0


@fault(CHECK, subject="container:feed82")
def events_for_those_who_have_logged_in(box: Box) -> None:
    """The same, and the program sends them to those alone who have logged in."""
    url = _feed(box, 82, status=401)
    for _ in range(4):
        assert _received(box, url) == 0


@fault(CHECK, subject="container:feed86")
def answers_of_a_language_model(box: Box) -> None:
    """Clients send a question, and nginx collects the words of the answer."""
    url = _feed(box, 86).replace("/events", "/chat/completions")
    for _ in range(4):
        assert _received(box, url, "-d", "{}") == 0


@healthy()
def events_that_nginx_passes_on(box: Box) -> None:
    """The location says that nothing is to be collected."""
    url = _feed(box, 83, "proxy_buffering off;")
    for _ in range(4):
        assert _received(box, url) > 0
        assert _received(box, url, "-d", "{}") > 0


@healthy()
def events_of_a_program_that_asks_for_it(box: Box) -> None:
    """The program says in a header that nothing is to be collected."""
    url = _feed(box, 84, headers="[('X-Accel-Buffering', 'no')]")
    for _ in range(4):
        assert _received(box, url) > 0


@healthy()
def page_that_takes_long(box: Box) -> None:
    """Clients leave a page of the same path before its program has begun to answer."""
    box.docker("network", "create", "net85")
    program = (
        "import http.server, time\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n        time.sleep(600)\n"
        "http.server.ThreadingHTTPServer(('', 8000), Handler).serve_forever()\n"
    )
    words = ("bb:1.36", "/usr/bin/python3", "-uc", program)
    box.docker("run", "-d", "--name=feed85", "--network=net85", *SAFE, *MACHINE, *words)
    site = "listen 80; location /api/ { proxy_pass http://feed85:8000; }"
    site_of(box, "edge85", site, "-p", "8085:80", "--network=net85")
    for _ in range(4):
        assert _received(box, f"http://{BOX_ADDRESS}:8085/api/updates") == 0
