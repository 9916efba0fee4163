"""Stacks of several services, as people deploy them: settings between two of them that do not fit,
and look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import load_server
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE, POSTGRES
from tests.lab.scenarios.real_servers import NGINX

AGAIN = "container.failing-inside"
UNHEALTHY = "container.unhealthy"
IN_LOG = "container.errors-in-log"
REFUSED = "container.database-refused"


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
    box.wait_health(name, "unhealthy")
    command = first_command(box, UNHEALTHY, name)
    assert "--health-cmd='unset HTTP_PROXY http_proxy; wget" in command, command


def _silently_probed(box: Box, number: int, *variables: str) -> str:
    """A server whose silent probe calls localhost, and a proxy in small letters; its name."""
    probe = "--health-cmd=/usr/bin/curl -sf http://localhost:8888/"
    return _probed(box, number, *MACHINE, probe, *variables)


@fault(UNHEALTHY, subject="container:store23")
def silent_probe_that_a_proxy_takes(box: Box) -> None:
    """The same with a probe that prints nothing: its exit code says that somebody answered."""
    name = _silently_probed(box, 23)
    box.wait_health(name, "unhealthy")
    command = first_command(box, UNHEALTHY, name)
    assert "--health-cmd='unset HTTP_PROXY http_proxy; /usr/bin/curl" in command, command


@healthy()
def silent_probe_of_a_host_that_is_excepted(box: Box) -> None:
    """The same with `no_proxy`: the probe asks its own server."""
    box.wait_health(_silently_probed(box, 24, "-e=no_proxy=localhost"), "healthy")


@healthy()
def probe_that_takes_no_proxy(box: Box) -> None:
    """The same, and the probe leaves the proxy out."""
    probe = "--health-cmd=http_proxy='' wget -q -O- http://store22:8888/"
    box.wait_health(_probed(box, 22, probe), "healthy")


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
    "container.variable-malformed",
    subject="container:identity23",
    also=["container.loopback-peer", "container.restart-loop"],
)
def quotes_of_a_list_in_compose(box: Box) -> None:
    """Compose's `- DB_URL="jdbc:..."` keeps its quotes, and the program takes its default."""
    name = _identity(box, 23, '"')
    box.wait_for(lambda: _count(box, name, "refused") > 3, what="restarts")
    command = first_command(box, "container.variable-malformed", name)
    assert command.endswith("--env=DB_URL=jdbc:postgresql://accounts23:5432/identity | sh"), command


@healthy()
def url_without_quotes(box: Box) -> None:
    """The same URL as it should be."""
    name = _identity(box, 24, "")
    box.wait_for(lambda: box.inspect(name)["State"]["Running"], what="a start")


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
    box.wait_for(lambda: _count(box, name, "Worker exiting") > 4, what="workers that end")


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


# -- a name that nobody has -----------------------------------------------------------

_LOOKS = """
host=${SEARCH_HOSTS#*//}; host=${host%%:*}
while :; do
    if nslookup $host >/dev/null 2>&1; then echo "connected to $host"; else
        echo '{"tags":["error"],"message":"[ConnectionError]: getaddrinfo ENOTFOUND '$host'"}'
    fi
    sleep 1
done
"""


def _dashboards(box: Box, number: int, host: str) -> str:
    """A program that looks for its server by the name in a variable, and says what it misses."""
    network = f"search{number}"
    box.docker("network", "create", network)
    options = (*SAFE, f"--network={network}")
    load(box, "search:2", Recipe(changes=("EXPOSE 9200",)))
    serves = ("search:2", "nc", "-ll", "-p", "9200", "-e", "cat")
    box.docker("run", "-d", f"--name=search{number}", *options, *serves)
    hosts = f'--env=SEARCH_HOSTS=["https://{host}:9200"]'
    name = f"boards{number}"
    box.docker("run", "-d", f"--name={name}", *options, hosts, "bb:1.36", "sh", "-c", _LOOKS)
    return name


@fault(IN_LOG, subject="container:boards28", exit_code=1)
def name_of_a_server_that_is_called_otherwise(box: Box) -> None:
    """A program was given a name that no container has; one neighbour serves the port."""
    name = _dashboards(box, 28, "search-node1")
    box.wait_for(lambda: _count(box, name, "ENOTFOUND") > 5, what="failed lookups")
    command = first_command(box, IN_LOG, name)
    cure = """--env='SEARCH_HOSTS=["https://search28:9200"]' | sh"""
    assert command.endswith(cure), command


@healthy()
def name_of_a_server_that_runs(box: Box) -> None:
    """The same with the right name."""
    name = _dashboards(box, 29, "search29")
    box.wait_for(lambda: _count(box, name, "connected") > 3, what="lookups")


# -- what a database says in its own log ----------------------------------------------

_ACCOUNTS = f"{POSTGRES}/postgres -D /data -k /tmp -c listen_addresses='*'"
_LOGS_IN = f"""
while :; do
    {POSTGRES}/psql -h $PGHOST -U shop -d postgres -Atc "select 'logged in'" 2>&1; sleep 1
done
"""


def _accounts(box: Box, number: int, role: str) -> str:
    """A real PostgreSQL whose data was made for a role, and a client that is "shop"; its name."""
    server, client, folder = f"accounts{number}", f"till{number}", f"/srv/accounts{number}"
    box.docker("network", "create", server)
    box.sh(f"mkdir -p {folder} && chown 1000:1000 {folder} && chmod 700 {folder}")
    own = ("--memory=256m", "--pids-limit=100", "--user=1000:1000", *MACHINE)
    data = (*own, "-v", f"{folder}:/data")
    box.write("/srv/word", "made-up\n", 0o644)
    initdb = (f"{POSTGRES}/initdb", "-D", "/data", "-A", "trust", "-U", role, "--pwfile=/word")
    box.docker("run", "--rm", *data, "-v", "/srv/word:/word:ro", "bb:1.36", *initdb)
    box.sh(f"sed -i /127.0.0.1/d {folder}/pg_hba.conf")
    box.sh(f"echo 'host all all all scram-sha-256' >>{folder}/pg_hba.conf")
    load(box, "postgres:15", Recipe())
    told = ("POSTGRES_USER=shop", "POSTGRES_PASSWORD=made-up", "PGHOST=/tmp", "PATH=/bin:/usr/bin")
    options = (*data, f"--network={server}", *(f"-e={word}" for word in told))
    box.docker("run", "-d", f"--name={server}", *options, "postgres:15", "sh", "-c", f"exec {_ACCOUNTS}")  # fmt: skip
    box.wait_for(lambda: _count(box, server, "ready to accept") > 0, what="the database")
    caller = (*own, f"--network={server}", f"-e=PGHOST={server}", "-e=PGPASSWORD=made-up")
    box.docker("run", "-d", f"--name={client}", *caller, "bb:1.36", "sh", "-c", _LOGS_IN)
    return client


@fault(REFUSED, subject="container:till30", exit_code=1)
def role_that_the_data_does_not_have(box: Box) -> None:
    """POSTGRES_USER was changed after the first start; the client hears of a wrong password."""
    client = _accounts(box, 30, "postgres")
    box.wait_for(lambda: _count(box, client, "password authentication failed") > 5, what="refusals")
    assert _count(box, "accounts30", 'Role "shop" does not exist') > 3
    command = first_command(box, REFUSED, client)
    assert "CREATE ROLE" in command, command
    box.sh(command)
    box.wait_for(lambda: _count(box, client, "logged in") > 1, what="a login")
    drops = ("psql", "-U", "postgres", "-d", "postgres", "-c", "DROP ROLE shop")
    box.docker("exec", "accounts30", *drops)
    before = _count(box, client, "password authentication failed")
    box.wait_for(
        lambda: _count(box, client, "password authentication failed") > before + 5, what="refusals"
    )


@healthy()
def role_that_the_data_has(box: Box) -> None:
    """The same with data that was made for that role."""
    client = _accounts(box, 31, "shop")
    box.wait_for(lambda: _count(box, client, "logged in") > 3, what="logins")


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
