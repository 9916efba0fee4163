"""Servers that run and take nothing from those who call them, and servers that do."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import load_server
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, POSTGRES, logs, run
from tests.lab.scenarios.real_servers import nginx
from tests.lab.scenarios.untold_programs import site_of

ERRORS = "container.errors-in-log"
UNRUN = "container.init-scripts-unrun"
PYTHON = "/usr/bin/python3"

_COUNT = r"""
while :; do
  answer=$(printf 'INCR visits\r\n' | nc -w 1 %s 6379 | tr -d '\r')
  case $answer in
  -*) echo "$(date) ERROR ReadOnlyError: ${answer#-}" ;;
  :*) echo "$(date) visit ${answer#:}" ;;
  esac
  sleep 1
done
"""


def _redis(box: Box, name: str, *words: str) -> None:
    """Real Redis on the network of the shop."""
    load_server(box, "redis-server", "redis:7.0")
    server = ("redis:7.0", "redis-server", "--protected-mode", "no", "--save", "")
    run(box, name, *GOOD, "--network=counting", *server, *words)
    box.wait_for(lambda: "Ready to accept" in logs(box, name), what="Redis to be ready")


def _counts(box: Box, name: str, server: str) -> None:
    run(box, name, *GOOD, "--network=counting", "bb:1.36", "sh", "-c", _COUNT % server)


@fault(ERRORS, subject="container:visits21", exit_code=1, shareable=True)
def redis_that_follows_a_stranger(box: Box) -> None:
    """Somebody made a replica of Redis, and its master does not answer; the command ends that."""
    box.docker("network", "create", "counting")
    _redis(box, "cache21", "--replicaof", "127.0.0.1", "8886")
    _counts(box, "visits21", "cache21")
    box.wait_for(lambda: logs(box, "visits21").count("READONLY") >= 6, what="the refusals")
    assert logs(box, "cache21").count("Error condition on socket for SYNC") >= 3
    command = first_command(box, ERRORS, "visits21")
    assert command == "docker exec cache21 redis-cli replicaof no one", command


@healthy(shareable=True)
def redis_that_follows_its_master(box: Box) -> None:
    """A replica whose master runs; the program writes to the master."""
    box.docker("network", "create", "counting", check=False)
    _redis(box, "main22")
    _redis(box, "spare22", "--replicaof", "main22", "6379")
    _counts(box, "visits22", "main22")
    box.wait_for(lambda: "visit 3" in logs(box, "visits22"), what="the visits")


_SEARCH = r"""
import datetime, json, os, socket
server = socket.create_server(("0.0.0.0", 9200))
while True:
    client, address = server.accept()
    plain = client.recv(1, socket.MSG_PEEK) != b"\x16"
    if plain and os.environ.get("xpack.security.enabled") != "false":
        channel = "localAddress=/%s:9200, remoteAddress=/%s:%d" % (client.getsockname()[0], *address)
        text = f"received plaintext http traffic on an https channel, closing connection Netty4HttpChannel{{{channel}}}"
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        print(json.dumps({"@timestamp": now, "log.level": "WARN", "message": text}), flush=True)
    elif plain:
        client.recv(999)
        client.sendall(b"HTTP/1.0 200 OK\r\n\r\n{}")
    client.close()
"""
_SEARCHES = """
while :; do
  wget -q -O /dev/null http://search%s:9200/ || echo "$(date) ERROR connection aborted: http://search%s"
  sleep 1
done
"""


def _search(box: Box, number: str, *options: str) -> None:
    """A stand-in for Elasticsearch 8 with its words, and a client that knows no HTTPS."""
    box.docker("network", "create", "searching", check=False)
    load(box, "elasticsearch:8.15.0", Recipe())
    image = (*MACHINE, "elasticsearch:8.15.0", PYTHON, "-c", _SEARCH)
    own = ("--memory=64m", "--pids-limit=64", "--user=1000:1000", "--network=searching")
    run(box, f"search{number}", *own, *options, *image)
    client = ("bb:1.36", "sh", "-c", _SEARCHES % (number, number))
    run(box, f"shop{number}", *GOOD, "--network=searching", *client)


@fault(ERRORS, subject="container:search21", exit_code=1, shareable=True)
def search_server_that_wants_tls(box: Box) -> None:
    """Elasticsearch 8 closes the connections of a client that calls it by http://."""
    _search(box, "21")
    box.wait_for(lambda: logs(box, "search21").count("plaintext") >= 6, what="the refusals")
    command = first_command(box, ERRORS, "search21")
    wanted = "diagnose recreate search21 -- --env=xpack.security.enabled=false | sh"
    assert command == wanted, command


@healthy(shareable=True)
def search_server_without_tls(box: Box) -> None:
    """The same two with the setting that the command gives."""
    _search(box, "22", "--env=xpack.security.enabled=false")
    box.wait_state("shop22", "running")


_SERVER = f"{POSTGRES}/postgres -D /data -k /tmp -c listen_addresses='*' -c log_min_messages=fatal"
_ASKS = f"""
while :; do
  {POSTGRES}/psql -h %s -U %s -d postgres -c 'select count(*) from users' 2>&1; sleep 1
done
"""


def _with_script(box: Box, name: str) -> None:
    """A database whose data is older than its start script."""
    network, folder = f"{name}-net", f"/srv/{name}"
    box.docker("network", "create", network)
    box.sh(f"mkdir -p {folder}/data && chown 1000:1000 {folder}/data && chmod 700 {folder}/data")
    own = ("--memory=256m", "--pids-limit=100", "--user=1000:1000", *MACHINE)
    mounts = (*own, "-v", f"{folder}/data:/data")
    initdb = (f"{POSTGRES}/initdb", "-D", "/data", "-A", "trust", "-U", "app")
    box.docker("run", "--rm", *mounts, "bb:1.36", *initdb)
    box.sh(
        f"echo 'host all all all trust' >>{folder}/data/pg_hba.conf; touch -d @1700000000 {folder}/data/PG_VERSION"
    )
    box.write(f"{folder}/init.sql", "CREATE TABLE users (id int);\n")
    load(box, "postgres:15", Recipe())
    script = ("-v", f"{folder}/init.sql:/docker-entrypoint-initdb.d/init.sql:ro")
    at = (
        "-e", "PGHOST=/tmp", "-e", "PATH=/bin:/usr/bin", "-e", "POSTGRES_USER=app", "-e",
        "POSTGRES_DB=postgres", "-e", "PGDATABASE=postgres",
    )  # fmt: skip
    server = (
        *mounts, *script, *at, f"--network={network}", "postgres:15", "sh", "-c",
        f"exec {_SERVER}",
    )  # fmt: skip
    run(box, name, *server)
    box.wait_for(lambda: box.docker("exec", name, "psql", "-c", "select 1", check=False).returncode == 0, what="the database")  # fmt: skip


def _asks(box: Box, name: str) -> None:
    """A program that asks that database for the table."""
    own = ("--memory=256m", "--pids-limit=100", "--user=1000:1000", *MACHINE)
    client = ("bb:1.36", "sh", "-c", _ASKS % (name, "app"))
    run(box, f"{name}-app", *own, f"--network={name}-net", *client)


@fault(UNRUN, subject="container:users21", exit_code=1, shareable=True)
def start_script_that_is_newer_than_the_data(box: Box) -> None:
    """A script was added to a database that had data: its table is not there. The command makes
    it, and the program works; the table is dropped again for the report."""
    _with_script(box, "users21")
    _asks(box, "users21")
    missing = "does not exist"
    box.wait_for(lambda: logs(box, "users21-app").count(missing) >= 6, what="the errors")
    command = first_command(box, UNRUN, "users21")
    box.sh(command, timeout=90)
    box.wait_for(lambda: "(1 row)" in logs(box, "users21-app"), what="the table to be there")
    box.docker("exec", "users21", "psql", "-c", "drop table users")
    before = logs(box, "users21-app").count(missing)
    box.wait_for(lambda: logs(box, "users21-app").count(missing) >= before + 6, what="the errors")


@healthy(shareable=True)
def start_script_whose_table_is_there(box: Box) -> None:
    """The same script, newer than the data, and somebody has run it by hand."""
    _with_script(box, "users22")
    script = "/docker-entrypoint-initdb.d/init.sql"
    box.docker("exec", "users22", "psql", "-f", script)
    _asks(box, "users22")
    box.wait_for(lambda: "(1 row)" in logs(box, "users22-app"), what="the program to work")


_FPM = r"""
import os, socket, struct
server = socket.create_server(("0.0.0.0", 9000))
def record(kind, body):
    return struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body
while True:
    client, _ = server.accept()
    asked = client.recv(65536)
    at = asked.index(b"SCRIPT_FILENAME")
    path = asked[at + 15 : at + 15 + asked[at - 1]].decode()
    lacks = not os.path.exists(path)
    answer = b"Status: 404 Not Found\r\n\r\nFile not found.\n" if lacks else b"\r\nhello\n"
    error = record(7, b"Primary script unknown") if lacks else b""
    client.sendall(error + record(6, answer) + record(6, b"") + record(3, bytes(8)))
    client.close()
"""
_SITE = (
    "server { listen 8080; root /var/www/html; location / { fastcgi_pass php%s:9000; "
    "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; } }"
)


def _site(box: Box, number: str, folder: str, script: str) -> None:
    """Real nginx before a stand-in for php-fpm, which has the project at this folder; and clients
    who ask for a script."""
    project, network = f"/srv/project{number}", f"site{number}-net"
    box.docker("network", "create", network)
    box.write(f"{project}/index.php", "<?php echo 'hello';\n")
    box.sh(f"chmod -R a+rX {project}")
    own = ("--memory=64m", "--pids-limit=64", "--user=1000:1000", f"--network={network}", *MACHINE)
    mount = ("-v", f"{project}:{folder}")
    run(box, f"php{number}", *own, *mount, "bb:1.36", PYTHON, "-c", _FPM)
    box.wait_state(f"php{number}", "running")
    served = ("-v", f"{project}:/var/www/html:ro")
    nginx(box, f"site{number}", _SITE % number, f"--network={network}", *served)
    asks = f"while :; do wget -q -O /dev/null http://site{number}:8080/{script}; sleep 1; done"
    run(box, f"asks{number}", *GOOD, f"--network={network}", "bb:1.36", "sh", "-c", asks)


@fault(ERRORS, subject="container:site21", exit_code=1, shareable=True)
def scripts_at_another_path_than_nginx_has_them(box: Box) -> None:
    """The project is mounted at /var/www/html into nginx, and at /app into php-fpm: 404."""
    _site(box, "21", "/app", "index.php")
    unknown = "Primary script unknown"
    box.wait_for(lambda: logs(box, "site21").count(unknown) >= 6, what="the refusals")
    command = first_command(box, ERRORS, "site21")
    wanted = "diagnose recreate php21 -- --volume=/srv/project21:/var/www/html:ro | sh"
    assert command == wanted, command
    out = box.diagnose("check", ERRORS, "--format", "json").joined
    assert "has the same folder at /app, and not at /var/www/html" in out, out


@healthy(shareable=True)
def scripts_that_only_scanners_ask_for(box: Box) -> None:
    """Both have the project at one path, and somebody asks for scripts that are nowhere."""
    _site(box, "22", "/var/www/html", "wp-login.php")
    unknown = "Primary script unknown"
    settled = 25  # more than the seconds for which a program may still be starting
    box.wait_for(lambda: logs(box, "site22").count(unknown) >= settled, 90, "the refusals")


_TLS = """server {{ listen 8443 ssl; server_name shop.example.com; root /www;
ssl_certificate {0}/fullchain.pem; ssl_certificate_key {0}/privkey.pem; }}"""
_CA = """[ca]
default_ca = own
[own]
dir = {0}
database = {0}/index.txt
new_certs_dir = {0}
serial = {0}/serial
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def certbot_files(
    box: Box, base: str, number: int, since: str, until: str, lineage: str = "shop.example.com"
) -> None:
    """A certificate as certbot keeps them: the files in archive/, and links to the latest."""
    live, archive = (f"{base}/{kind}/{lineage}" for kind in ("live", "archive"))
    box.sh(
        f"mkdir -p {live} {archive} {base}/ca; : >{base}/ca/index.txt; echo 01 >{base}/ca/serial"
    )
    box.write(f"{base}/ca/ca.cnf", _CA.format(f"{base}/ca"))
    key, file = f"{archive}/privkey{number}.pem", f"{archive}/fullchain{number}.pem"
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    box.sh(f"openssl req {curve} -keyout {key} -out {base}/r.csr -subj /CN=shop.example.com 2>&1")
    dates = f"-startdate {since} -enddate {until}"
    own = f"-batch -notext -selfsign -config {base}/ca/ca.cnf -keyfile {key}"
    box.sh(f"openssl ca {own} -in {base}/r.csr -out {file} {dates} 2>&1")
    for kind in ("privkey", "fullchain"):
        target = f"../../archive/{lineage}/{kind}{number}.pem"
        box.sh(f"ln -sfn {target} {live}/{kind}.pem; chmod -R a+rX {base}")


def _served(box: Box, name: str, until: str) -> None:
    """nginx serves a certificate that nobody renews."""
    base = f"/srv/{name}-letsencrypt"
    certbot_files(box, base, 1, "20250101000000Z", until)
    site = _TLS.format("/etc/letsencrypt/live/shop.example.com")
    nginx(box, name, site, "-v", f"{base}:/etc/letsencrypt:ro", "-e", "PATH=/bin:/usr/sbin")
    shown = ["docker", "exec", name, "cat", "/proc/1/comm"]
    box.wait_for(lambda: "nginx" in box.run(shown, check=False).stdout, what="nginx to start")


def _renewed(box: Box, name: str) -> None:
    """nginx reads a certificate of the past, which is renewed after that."""
    _served(box, name, "20250401000000Z")
    time.sleep(8)
    certbot_files(box, f"/srv/{name}-letsencrypt", 2, "20260101000000Z", "20490101000000Z")


@fault("container.certificate-unread", subject="container:edge21", shareable=True)
def certificate_that_nobody_has_read(box: Box) -> None:
    """certbot renewed a certificate, and nobody told nginx; the command does."""
    _renewed(box, "edge21")
    command = first_command(box, "container.certificate-unread", "edge21")
    assert command == "docker exec edge21 sh -c 'nginx -t && nginx -s reload'", command


@healthy(shareable=True)
def certificate_that_was_read(box: Box) -> None:
    """The same, and the renewal has told nginx to read it."""
    _renewed(box, "edge22")
    box.docker("exec", "edge22", "sh", "-c", "nginx -t && nginx -s reload")


@fault("container.certificate-expired", subject="container:edge31", shareable=True)
def certificate_that_has_expired(box: Box) -> None:
    """nginx serves a certificate of the past, and its file has not been renewed."""
    _served(box, "edge31", "20250401000000Z")


def _renewed_beside(box: Box, name: str, served: str) -> None:
    """nginx serves one of two certificates of certbot's, of which one is of the past."""
    base = f"/srv/{name}-letsencrypt"
    certbot_files(box, base, 1, "20250101000000Z", "20250401000000Z")
    certbot_files(box, base, 1, "20260101000000Z", "20490101000000Z", "shop.example.com-0001")
    box.write(f"/srv/{name}-conf/shop.conf", _TLS.format(f"/etc/letsencrypt/live/{served}"))
    mounts = ["-v", f"{base}:/etc/letsencrypt:ro", "-v", f"/srv/{name}-conf:/etc/nginx/conf.d:ro"]
    site = "listen 8080; return 204;"
    site_of(box, name, site, *mounts, included="include /etc/nginx/conf.d/*.conf;")
    shown = ["docker", "exec", name, "cat", "/proc/1/comm"]
    box.wait_for(lambda: "nginx" in box.run(shown, check=False).stdout, what="nginx to start")


@fault("container.certificate-expired", subject="container:edge33", shareable=True)
def certificate_that_was_renewed_beside(box: Box) -> None:
    """certbot renewed into a folder of another name; the command leads the settings there."""
    _renewed_beside(box, "edge33", "shop.example.com")
    typed(box, first_command(box, "container.certificate-expired", "edge33"))
    found = box.diagnose("check", "container.certificate-expired", "--format", "json").findings
    assert "edge33" not in [finding["subject"]["name"] for finding in found]
    box.write("/srv/edge33-conf/shop.conf", _TLS.format("/etc/letsencrypt/live/shop.example.com"))


@healthy(shareable=True)
def certificate_beside_one_that_has_expired(box: Box) -> None:
    """The same two, and the settings name the valid one."""
    _renewed_beside(box, "edge34", "shop.example.com-0001")


@healthy(shareable=True)
def certificate_that_is_valid(box: Box) -> None:
    """The same with a certificate that is valid for years."""
    _served(box, "edge32", "20490101000000Z")
