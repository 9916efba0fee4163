"""Stacks of several services, as people deploy them: settings between two of them that do not fit,
and look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import load_server
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.real_servers import NGINX

AGAIN = "container.failing-inside"
UNHEALTHY = "container.unhealthy"


def _count(box: Box, name: str, words: str) -> int:
    done = box.docker("logs", name)
    return (done.stdout + done.stderr).count(words)


# -- a probe that goes to a proxy -----------------------------------------------------

_PROXY = (
    "while :; do printf 'HTTP/1.1 503 Service Unavailable\\r\\nContent-Length: 0\\r\\n\\r\\n'"
    " | nc -l -p 3128 >/dev/null; done"
)


def _probed(box: Box, number: int, *options: str) -> str:
    """A server whose probe calls it by its own name, and the proxy of its variables; its name."""
    name, network = f"store{number}", f"store{number}net"
    box.docker("network", "create", network)
    box.docker("run", "-d", f"--name=proxy{number}", *SAFE, f"--network={network}", "bb:1.36", "sh", "-c", _PROXY)  # fmt: skip
    variables = [f"-e={word}=http://proxy{number}:3128" for word in ("http_proxy", "HTTP_PROXY")]
    probe = (f"--health-cmd=wget -q -O- http://{name}:8888/", "--health-interval=1s")
    box.write(f"/srv/{name}/index.html", "films\n")
    folder = f"--volume=/srv/{name}:/www:ro"
    serves = ("bb:1.36", "httpd", "-f", "-p", "8888", "-h", "/www")
    box.docker(
        *("run", "-d", f"--name={name}", *SAFE, f"--network={network}", folder, *variables),
        *(*probe, "--health-retries=2", *options, *serves),
    )
    return name


@fault(UNHEALTHY, subject="container:store21")
def probe_of_its_own_name_that_a_proxy_takes(box: Box) -> None:
    """The client's settings give a container a proxy, and its health check calls it by its name."""
    name = _probed(box, 21)
    box.wait_health(name, "unhealthy", 40)
    command = first_command(box, UNHEALTHY, name)
    assert "--health-cmd='unset http_proxy HTTP_PROXY; wget" in command, command


@healthy()
def probe_that_takes_no_proxy(box: Box) -> None:
    """The same, and the probe leaves the proxy out."""
    probe = "--health-cmd=http_proxy='' wget -q -O- http://store22:8888/"
    box.wait_health(_probed(box, 22, probe), "healthy", 40)


# -- a URL in quotes ------------------------------------------------------------------

_STARTS = """
case "$DB_URL" in
jdbc:postgresql://*) place=${DB_URL#*//}; place=${place%%/*} ;;
*) place=localhost:5432 ;;
esac
nc -z ${place%:*} ${place#*:} && exec sleep 1000
echo "ERROR: Connection to $place refused. Check that the hostname and port are correct" >&2
exit 1
"""


def _identity(box: Box, number: int, quote: str) -> str:
    """A program that takes a default where its URL is none, and its database."""
    name, network = f"identity{number}", f"identity{number}net"
    box.docker("network", "create", network)
    serves = ("bb:1.36", "nc", "-ll", "-p", "5432", "-e", "cat")
    box.docker("run", "-d", f"--name=accounts{number}", *SAFE, f"--network={network}", *serves)
    url = f"--env=DB_URL={quote}jdbc:postgresql://accounts{number}:5432/identity{quote}"
    options = (*SAFE, f"--network={network}", url)
    box.docker("run", "-d", f"--name={name}", *options, "bb:1.36", "sh", "-c", _STARTS)
    return name


@fault(
    "container.variable-malformed", subject="container:identity23", also=["container.restart-loop"]
)
def quotes_of_a_list_in_compose(box: Box) -> None:
    """Compose's `- DB_URL="jdbc:..."` keeps its quotes, and the program takes its default."""
    name = _identity(box, 23, '"')
    box.wait_for(lambda: _count(box, name, "refused") > 3, 40, "restarts")
    command = first_command(box, "container.variable-malformed", name)
    assert command.endswith("--env=DB_URL=jdbc:postgresql://accounts23:5432/identity | sh"), command


@healthy()
def url_without_quotes(box: Box) -> None:
    """The same URL as it should be."""
    name = _identity(box, 24, "")
    box.wait_for(lambda: box.inspect(name)["State"]["Running"], 20, "a start")


# -- a program that its keeper starts again and again ---------------------------------

_KEEPER = """#!/bin/sh
number=7
while :; do
    number=$((number + 1))
    echo "[2026-01-02 10:00:00 +0000] [1] [INFO] Booting worker with pid: $number"
    sleep 1
    [ -n "$SUPERSET_SECRET_KEY" ] && code=0 || code=1
    [ $code = 1 ] && echo "Refusing to start due to insecure SECRET_KEY"
    echo "[2026-01-02 10:00:00 +0000] [$number] [INFO] Worker exiting (pid: $number)"
    [ $code = 1 ] && echo "[2026-01-02 10:00:00 +0000] [1] [ERROR] Worker (pid:$number) exited with code 1."
done
"""


def _workers(box: Box, name: str, *options: str) -> None:
    """A stand-in for gunicorn, which says what gunicorn says of its workers."""
    load(box, "superset:4", Recipe({"gunicorn": (_KEEPER.encode(), 0o755)}, ('CMD ["/gunicorn"]',)))
    box.docker("run", "-d", f"--name={name}", *SAFE, *options, "superset:4")
    box.wait_for(lambda: _count(box, name, "Worker exiting") > 4, 40, "workers that end")


@fault(AGAIN, subject="container:reports25")
def workers_that_end_for_lack_of_a_secret(box: Box) -> None:
    """gunicorn starts its workers again and again, and each ends: a secret is not set."""
    _workers(box, "reports25")
    command = first_command(box, AGAIN, "reports25")
    assert command.startswith("export SUPERSET_SECRET_KEY="), command


@healthy()
def workers_that_are_replaced(box: Box) -> None:
    """Workers that end after their work, and make room for new ones."""
    _workers(box, "reports26", "--env=SUPERSET_SECRET_KEY=made-up-and-long")


# -- a web server and a program beside it ---------------------------------------------

_FRONT = "server { listen 81; location / { proxy_pass http://127.0.0.1:3000; } }"


@healthy()
def web_server_that_waits_for_the_program_beside_it(box: Box) -> None:
    """nginx calls a program of its own container that is not ready; a neighbour serves that port.

    Nginx Proxy Manager does so until its database answers.
    """
    load_server(box, "nginx", "manager:2")
    box.docker("network", "create", "manager27")
    box.write("/srv/manager27/nginx.conf", NGINX % _FRONT)
    box.write("/srv/manager27/node", "#!/bin/sh\nwhile :; do sleep 1; done\n", 0o755)
    neighbour = ("bb:1.36", "httpd", "-f", "-p", "3000")
    options = (*SAFE, "--network=manager27")
    box.docker("run", "-d", "--name=graphs27", *options, *neighbour)
    files = [f"--volume=/srv/manager27/{name}:/{name}:ro" for name in ("nginx.conf", "node")]
    both = ("manager:2", "sh", "-c", "/usr/sbin/nginx -c /nginx.conf & exec /node")
    box.docker("run", "-d", "--name=manager27", *options, *files, *both)
    for _ in range(5):
        box.docker("exec", "graphs27", "sh", "-c", "wget -qO- http://manager27:81/ || true")
    assert _count(box, "manager27", "refused") > 3
    findings = box.diagnose("check", "container.loopback-peer", "--format", "json").findings
    assert findings == []
