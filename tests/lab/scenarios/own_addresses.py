"""Programs that show their users an address, at a port that leads to them and at one that does
not."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command, status_outside, typed
from tests.lab.scenarios.programs.helpers import MACHINE, logs

STRAY = "network.own-address-wrong"
SAFE = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
_FLOWS = b"""#!/bin/sh
echo "Version: 1.70.1"
echo "Editor is now accessible via:"
echo "${WEBHOOK_URL:-$N8N_PROTOCOL://$N8N_HOST:5678/}"
exec httpd -f -p 5678 -h /www
"""
"""How n8n says where it is found."""
_PROXY = """
import http.server, urllib.request

class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with urllib.request.urlopen(f"http://%s{self.path}", timeout=5) as answer:
            body = answer.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("", 8080), Proxy).serve_forever()
"""


def _flows(box: Box, number: int, *options: str) -> str:
    """A program behind a proxy that takes the visitors at port 80; the last line of its log."""
    name, net = f"flows{number}", f"flows{number}net"
    load(box, "n8n:1.70", Recipe(files={"bin/n8n": (_FLOWS, 0o755)}, changes=("EXPOSE 5678",)))
    box.docker("network", "create", net)
    settings = ["-e", "N8N_HOST=flows.lab.test", "-e", "N8N_PROTOCOL=http"]
    box.docker(
        "run",
        "-d",
        f"--name={name}",
        *SAFE,
        f"--network={net}",
        *settings,
        *options,
        "n8n:1.70",
        "n8n",
    )
    box.docker(
        "run", "-d", f"--name=front{number}", *SAFE, f"--network={net}", "-p", "80:8080", *MACHINE,
        "bb:1.36", "/usr/bin/python3", "-uc", _PROXY % f"{name}:5678",
    )  # fmt: skip
    box.wait_for(lambda: status_outside(box, 80, "/") == "200", what="the page by the proxy")
    return logs(box, name).splitlines()[-1]


@fault(STRAY, subject="container:flows81")
def program_that_announces_its_inner_port(box: Box) -> None:
    """The program tells other sites to call port 5678, and the proxy serves port 80; the command
    of the page sets the address."""
    assert _flows(box, 81) == "http://flows.lab.test:5678/"
    assert status_outside(box, 5678, "/") == "000"
    command = first_command(box, STRAY, "flows81")
    right = "--env=WEBHOOK_URL=http://flows.lab.test/"
    assert command == f"diagnose recreate flows81 -- {right} | sh", command
    typed(box, command)
    box.wait_for(lambda: "test/" in logs(box, "flows81"), what="the program")
    assert box.diagnose("check", STRAY, "--format", "json").findings == []
    box.sh("docker rm -f $(docker ps -aq) && docker network rm flows81net")
    _flows(box, 81)


@healthy()
def program_that_announces_the_port_of_its_proxy(box: Box) -> None:
    """The same, and a variable names the address by which other sites call."""
    said = _flows(box, 82, "-e", "WEBHOOK_URL=http://flows.lab.test/")
    assert said == "http://flows.lab.test/"


@healthy()
def program_whose_inner_port_is_published_too(box: Box) -> None:
    """The same port inside and outside: the address leads to the program."""
    assert _flows(box, 83, "-p", "5678:5678") == "http://flows.lab.test:5678/"
    assert status_outside(box, 5678, "/") == "200"


def _forge(box: Box, number: int, port: int, *options: str) -> None:
    """A server of repositories whose SSH is published at a port of the host, beside its own."""
    load(box, "gitea/gitea:1.22", Recipe())
    folder = f"/srv/forge{number}"
    box.write(f"{folder}/gitea/conf/app.ini", "[server]\nSSH_PORT = 22\nDISABLE_SSH = false\n")
    serve = "nc -lk -p 22 -e cat & exec httpd -f -p 3000 -h /www"
    box.docker(
        "run", "-d", f"--name=forge{number}", *SAFE, "-p", f"{port}:22", "-p", f"{3100 + number}:3000",
        "-v", f"{folder}:/data", *options, "gitea/gitea:1.22", "sh", "-c", serve,
    )  # fmt: skip
    box.wait_state(f"forge{number}", "running")
    box.wait_for(lambda: status_outside(box, 3100 + number, "/") == "200", what="its page")


@fault(STRAY, subject="container:forge84", shareable=True)
def repositories_with_the_port_of_another_server(box: Box) -> None:
    """SSH is published at 10084, and clients are told port 22; the command sets the port."""
    _forge(box, 84, 10084)
    command = first_command(box, STRAY, "forge84")
    assert "--env=GITEA__server__SSH_PORT=10084" in command, command
    typed(box, command)
    assert "forge84" not in str(box.diagnose("check", STRAY, "--format", "json").findings)
    box.docker("rm", "-f", "forge84")
    _forge(box, 84, 10084)


@healthy(shareable=True)
def repositories_that_show_their_published_port(box: Box) -> None:
    """The same, and a variable says which port is published."""
    _forge(box, 85, 10085, "-e", "GITEA__server__SSH_PORT=10085")


@healthy()
def repositories_of_a_user_of_the_host(box: Box) -> None:
    """The same ports, and a user of the host passes the calls at port 22 on."""
    box.sh("echo 'git:x:997:997::/home/git:/bin/sh' >>/etc/passwd")
    _forge(box, 86, 10086)


def _forge_with_root(box: Box, number: int, root: str) -> None:
    """A server of repositories whose file has this address, beside a variable that it ignores."""
    load(box, "gitea/gitea:1.22", Recipe())
    folder = f"/srv/forge{number}"
    box.write(f"{folder}/gitea/conf/app.ini", f"[server]\nROOT_URL = {root}\n")
    box.docker(
        "run", "-d", f"--name=forge{number}", *SAFE, "-p", f"{3100 + number}:3000",
        "-v", f"{folder}:/data", "-e", "ROOT_URL=https://git.lab.test/", "gitea/gitea:1.22",
        "httpd", "-f", "-p", "3000", "-h", "/www",
    )  # fmt: skip
    box.wait_for(lambda: status_outside(box, 3100 + number, "/") == "200", what="its page")


@fault(STRAY, subject="container:forge87", shareable=True)
def repositories_with_an_address_that_is_no_url(box: Box) -> None:
    """app.ini has the name alone, so that links lead into the page itself; the variable that the
    command sets comes before the file."""
    _forge_with_root(box, 87, "git.lab.test")
    command = first_command(box, STRAY, "forge87")
    assert "--env=GITEA__server__ROOT_URL=http" in command, command


@healthy(shareable=True)
def repositories_with_an_address(box: Box) -> None:
    """The same with a URL."""
    _forge_with_root(box, 88, "https://git.lab.test/")
