"""Real redis, nginx and mariadb of Debian in imported images, that do not start; and their healthy
twins."""

from __future__ import annotations

import os

from tests.lab import Box, fault, healthy
from tests.lab.programs import load_server
from tests.lab.provider import BOX_ADDRESS, RESOLVER
from tests.lab.scenarios.everyday.helpers import first_command

GOOD = [
    "--memory=128m", "--pids-limit=100", "--user=1000:1000", "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]  # fmt: skip
NGINX = """
daemon off; pid /tmp/nginx.pid; error_log stderr; events {}
http { access_log off; client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c;
uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e; %s }
"""


def run(box: Box, name: str, *words: str) -> None:
    """A detached container."""
    box.docker("run", "-d", f"--name={name}", *GOOD, *words)


def nginx(box: Box, name: str, body: str, *options: str) -> None:
    """A container with nginx and a configuration of its own."""
    load_server(box, "nginx", "nginx:1.22")
    box.write(f"/srv/{name}/nginx.conf", NGINX % body)
    config = ["-v", f"/srv/{name}/nginx.conf:/etc/nginx/nginx.conf:ro"]
    run(
        box, name, *config, *options, "nginx:1.22", "/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf"
    )


@fault(
    "container.mount-forbidden",
    subject="container:cache7",
    also=["container.exits-at-start"],
    shareable=True,
)
def redis_that_names_a_relative_file(box: Box) -> None:
    """Redis may not write its data folder, and names only the file in it."""
    load_server(box, "redis-server", "redis:7.0")
    box.sh("mkdir -p /srv/cache7 && chmod 755 /srv/cache7")
    run(
        box, "cache7", "-v", "/srv/cache7:/data", "redis:7.0", "redis-server", "--appendonly",
        "yes", "--dir", "/data",
    )  # fmt: skip
    assert box.wait_state("cache7", "exited")["State"]["ExitCode"] == 1


@fault(
    "container.mount-forbidden",
    subject="container:maria7",
    also=["container.exits-at-start"],
    shareable=True,
)
def mariadb_on_a_folder_of_root(box: Box) -> None:
    """MariaDB as user 1000 on a data folder that belongs to root."""
    load_server(box, "mariadb-server-core", "mariadb:10.11")
    box.sh("mkdir -p /srv/maria7 && chmod 755 /srv/maria7")
    run(box, "maria7", "-v", "/srv/maria7:/var/lib/mysql", "mariadb:10.11", "/usr/sbin/mariadbd")
    assert box.wait_state("maria7", "exited")["State"]["ExitCode"] == 1


@fault(
    "container.mount-source-missing",
    subject="container:edge7",
    also=["container.exits-at-start"],
    shareable=True,
    first_command=("half", "the file has to be put there"),
)
def nginx_with_a_folder_for_a_file(box: Box) -> None:
    """nginx includes a file that was missing on the host, so that the engine made a folder of its
    name."""
    nginx(
        box, "edge7", "include /etc/nginx/extra.conf;", "-v",
        "/srv/edge7/extra.conf:/etc/nginx/extra.conf",
    )  # fmt: skip
    assert box.wait_state("edge7", "exited")["State"]["ExitCode"] == 1


def _site_of_a_shop(box: Box, name: str, shop: str) -> None:
    """nginx whose site hands requests on to a shop by this name."""
    box.docker("network", "create", f"{name}net")
    run(box, "shelf-12", f"--network={name}net", "shop:1.4")
    site = f"upstream shop {{\n  server {shop}:8080;\n}}\nserver {{ listen 8080; location / {{ proxy_pass http://shop; }} }}\n"
    box.write(f"/srv/{name}/site.conf", site)
    mount = f"/srv/{name}/site.conf:/etc/nginx/conf.d/site.conf:ro"
    nginx(box, name, "include /etc/nginx/conf.d/*.conf;", f"--network={name}net", "-v", mount)


@fault("container.exits-at-start", subject="container:edge12")
def nginx_with_the_old_name_of_a_service(box: Box) -> None:
    """A service was renamed, and nginx's file still has the name without the hyphen."""
    _site_of_a_shop(box, "edge12", "shelf12")
    assert box.wait_state("edge12", "exited")["State"]["ExitCode"] == 1
    assert 'host not found in upstream "shelf12:8080"' in box.docker("logs", "edge12").stderr


@healthy()
def nginx_with_the_new_name_of_a_service(box: Box) -> None:
    """The same file with the name that the service has."""
    _site_of_a_shop(box, "edge13", "shelf-12")
    box.wait_state("edge13", "running")


_EDGE = "include /etc/nginx/conf.d/*.conf; server { listen 8080; %s location / { set $shop shelf8:8080; proxy_pass http://$shop; } }"


def _edge(box: Box, name: str, directive: str) -> str:
    """nginx in front of a shop, by a name in a variable; gives what a client of it gets."""
    box.docker("network", "create", f"{name}net")
    run(box, "shelf8", f"--network={name}net", "shop:1.4")
    nginx(box, name, _EDGE % directive, f"--network={name}net", "-p", "8088:8080")
    url = f"http://{BOX_ADDRESS}:8088/"
    box.wait_for(lambda: box.provider.curl(url, check=False), what="nginx to answer")
    for _ in range(3):
        box.provider.curl(url, check=False)
    return box.provider.curl(url, check=False)


@fault("dns.resolver-bypassed", subject="container:edge8")
def nginx_without_a_resolver(box: Box) -> None:
    """nginx is to look a name up at each request, and was told no DNS server: 502."""
    assert "502" in _edge(box, "edge8", "")


@fault("dns.resolver-bypassed", subject="container:edge9")
def nginx_that_asks_outside(box: Box) -> None:
    """nginx asks the host's DNS server for the name of a container."""
    assert "502" in _edge(box, "edge9", f"resolver {RESOLVER};")


@fault("container.errors-in-log", subject="container:edge11")
def nginx_that_speaks_tls_to_plain_http(box: Box) -> None:
    """proxy_pass has https:// before a backend that serves plain HTTP: 502."""
    box.docker("network", "create", "edge11net")
    run(box, "shelf11", "--network=edge11net", "shop:1.4")
    server = "server { listen 8080; location / { proxy_pass https://shelf11:8080; } }"
    nginx(box, "edge11", server, "--network=edge11net", "-p", "8088:8080")
    url = f"http://{BOX_ADDRESS}:8088/"
    box.wait_for(lambda: "502" in box.provider.curl(url, check=False), what="nginx to answer")
    for _ in range(3):
        box.provider.curl(url, check=False)


@healthy()
def nginx_that_asks_the_engine(box: Box) -> None:
    """The same nginx with the engine's resolver."""
    assert _edge(box, "edge10", "resolver 127.0.0.11 valid=10s;").strip() == "hello"


POSTGRES = "/usr/lib/postgresql/15/bin"
MACHINE = [
    option
    for path in ("/usr", "/lib", "/lib64")
    if os.path.isdir(path)
    for option in ("-v", f"{path}:{path}:ro")
]


def _postgres_data(box: Box, folder: str) -> list[str]:
    """A data directory of PostgreSQL on the host, and the words that run a server on it."""
    box.sh(f"mkdir -p {folder} && chown 1000:1000 {folder} && chmod 700 {folder}")
    options = [
        "--network=none", "--memory=256m", "--pids-limit=100", *MACHINE, "-v", f"{folder}:/data",
    ]  # fmt: skip
    box.docker(
        "run", "--rm", "--user=1000:1000", *options, "bb:1.36", f"{POSTGRES}/initdb", "-D",
        "/data", "-A", "trust",
    )  # fmt: skip
    return [*options, "bb:1.36", f"{POSTGRES}/postgres", "-D", "/data", "-k", "/tmp"]


@fault(
    "container.file-mode-refused",
    subject="container:opened7",
    expect=[("container.file-mode-refused", "container:foreign7")],
    also=["container.exits-at-start"],
    shareable=True,
)
def postgres_that_refuses_its_folder(box: Box) -> None:
    """A data directory that everybody may enter, and one that belongs to another user than the
    server's."""
    opened = _postgres_data(box, "/srv/opened7")
    box.sh("chmod 777 /srv/opened7")
    box.docker("run", "-d", "--name=opened7", "--user=1000:1000", *opened)
    foreign = _postgres_data(box, "/srv/foreign7")
    box.sh("chgrp -R 2000 /srv/foreign7 && chmod -R g=u /srv/foreign7 && chmod 750 /srv/foreign7")
    box.docker("run", "-d", "--name=foreign7", "--user=1001:2000", *foreign)
    for name, words in (("opened7", "invalid permissions"), ("foreign7", "wrong ownership")):
        assert box.wait_state(name, "exited")["State"]["ExitCode"] == 1
        assert words in box.docker("logs", name).stderr


@fault("container.file-mode-refused", subject="container:router7", shareable=True)
def certificates_that_others_may_read(box: Box) -> None:
    """A router works, and its file of certificates may be read by all, so that it has said no to
    it."""
    box.sh(
        "mkdir -p /srv/router7 && echo '{}' >/srv/router7/acme.json && chmod 644 /srv/router7/acme.json"
    )
    run(box, "router7", "-v", "/srv/router7/acme.json:/acme.json", "bb:1.36", "sleep", "1000")
    box.wait_state("router7", "running")


@fault(
    "container.variable-malformed",
    subject="container:quoted7",
    expect=[("container.variable-malformed", "container:dos7")],
    also=["container.exits-at-start", "container.*", "dns.*"],
    shareable=True,
)
def variables_with_marks_of_their_file(box: Box) -> None:
    """`--env-file` keeps the quotes of its file, and a carriage return; psql repeats the one and
    hides the other."""
    box.docker("network", "create", "shop7")
    box.write("/root/quoted7.env", 'PGHOST="db7"\nPGDATABASE=shop\n')
    psql = [*MACHINE, "bb:1.36", f"{POSTGRES}/psql", "-c", "select 1"]
    run(box, "quoted7", "--network=shop7", "--env-file=/root/quoted7.env", *psql)
    run(box, "dos7", "--network=shop7", "--env=PGHOST=127.0.0.1", "--env=PGDATABASE=shop\r", *psql)
    for name in ("quoted7", "dos7"):
        assert box.wait_state(name, "exited")["State"]["ExitCode"] == 2


@fault("container.exits-at-start", subject="container:unquoted7", shareable=True)
def redis_with_a_directive_without_value(box: Box) -> None:
    """The password was empty when the file was written: Redis names the line, and the command the
    file."""
    load_server(box, "redis-server", "redis:7.0")
    box.write("/srv/unquoted7/redis.conf", "bind 127.0.0.1\nappendonly no\nrequirepass\n")
    mount = "/srv/unquoted7/redis.conf:/etc/redis.conf:ro"
    run(box, "unquoted7", "-v", mount, "redis:7.0", "redis-server", "/etc/redis.conf")
    assert box.wait_state("unquoted7", "exited")["State"]["ExitCode"] == 1
    findings = box.diagnose("check", "container.exits-at-start", "--format", "json").findings
    (finding,) = [finding for finding in findings if finding["subject"]["name"] == "unquoted7"]
    assert finding["evidence"]["where that is set"].endswith(
        "/srv/unquoted7/redis.conf on the host, line 3"
    )


@healthy(shareable=True)
def files_that_are_closed_and_quotes_that_are_meant(box: Box) -> None:
    """The same file of certificates for its owner alone, a database that runs, and a variable whose
    quotes are meant."""
    box.sh(
        "mkdir -p /srv/closed7 && echo '{}' >/srv/closed7/acme.json && chmod 600 /srv/closed7/acme.json"
    )
    box.sh("chown 1000 /srv/closed7/acme.json")
    run(
        box, "closed7", "-v", "/srv/closed7/acme.json:/acme.json", '--env=GREETING="hello"',
        "bb:1.36", "sleep", "1000",
    )  # fmt: skip
    words = _postgres_data(box, "/srv/kept7")
    box.docker("run", "-d", "--name=kept7", "--user=1000:1000", *words)
    box.wait_for(
        lambda: "ready to accept" in box.docker("logs", "kept7").stderr,
        what="the database to be ready",
    )


@fault(
    "container.database-refused",
    subject="container:lost-db",
    expect=[("container.database-refused", "container:wrong-password")],
    also=["container.exits-at-start"],
)
def database_that_refuses_its_clients(box: Box) -> None:
    """Real psql asks a real PostgreSQL for a database that is not there, and with another password
    than the volume's."""
    box.docker("network", "create", "refusing")
    _postgres_data(box, "/srv/refusing")
    box.sh(
        "echo 'host all shop all scram-sha-256' >/tmp/hba; echo 'host all all all trust' >>/tmp/hba"
    )
    box.sh("cat /tmp/hba >>/srv/refusing/pg_hba.conf")
    data = [
        "--network=refusing", "--memory=256m", "--pids-limit=100", "--user=1000:1000", "-v",
        "/srv/refusing:/data",
    ]  # fmt: skip
    server = [
        *MACHINE, "bb:1.36", f"{POSTGRES}/postgres", "-D", "/data", "-k", "/tmp", "-c",
        "listen_addresses=*",
    ]  # fmt: skip
    box.docker("run", "-d", "--name=refuser", *data, *server)
    box.wait_for(
        lambda: "ready to accept" in box.docker("logs", "refuser").stderr,
        what="the database to be ready",
    )
    psql = [*MACHINE, "bb:1.36", f"{POSTGRES}/psql", "-h", "refuser", "-c", "select 1"]
    run(box, "lost-db", "--network=refusing", "--env=PGUSER=app", *psql, "shopdb")
    run(
        box, "wrong-password", "--network=refusing", "--env=PGPASSWORD=made-up", *psql, "-U",
        "shop", "postgres",
    )  # fmt: skip
    for name in ("lost-db", "wrong-password"):
        assert box.wait_state(name, "exited")["State"]["ExitCode"] == 2


@healthy(shareable=True)
def servers_that_warn_and_work(box: Box) -> None:
    """Redis warns of memory overcommit and of its configuration, and works; nginx serves."""
    load_server(box, "redis-server", "redis:7.0")
    box.sh("mkdir -p /srv/warned7 && chown 1000:1000 /srv/warned7")
    options = ["-v", "/srv/warned7:/data"]
    run(
        box, "warned7", *options, "redis:7.0", "redis-server", "--appendonly", "yes", "--dir",
        "/data",
    )  # fmt: skip
    nginx(box, "served7", "server { listen 8087; }")
    for name in ("warned7", "served7"):
        box.wait_state(name, "running")
    box.wait_for(
        lambda: "Ready to accept" in box.docker("logs", "warned7").stdout, what="redis to be ready"
    )


LOW_PORT = "--sysctl=net.ipv4.ip_unprivileged_port_start=1024"


@fault(
    "container.option-missing",
    subject="container:front7",
    also=["container.exits-at-start"],
    shareable=True,
)
def nginx_that_may_not_open_its_port(box: Box) -> None:
    """nginx runs as a user, and port 80 of its own network is for root alone."""
    nginx(box, "front7", "server { listen 80; }", LOW_PORT)
    assert box.wait_state("front7", "exited")["State"]["ExitCode"] == 1


@healthy(shareable=True)
def nginx_that_may_open_its_port(box: Box) -> None:
    """The same with the engine's own setting, which leaves low ports to everyone."""
    nginx(box, "front8", "server { listen 80; }")
    box.wait_state("front8", "running")


@fault("network.calls-failing", subject="container:edge14", also=["container.*"])
def nginx_that_keeps_an_old_address(box: Box) -> None:
    """DNS has another address for a machine outside than it had when nginx was started."""
    box.provider.dns_stop()
    box.provider.dns_start("--address=/api.lab.test/192.0.2.77")
    box.docker("network", "create", "edge14net")
    server = "server { listen 8080; location / { proxy_connect_timeout 1s; proxy_pass http://api.lab.test; } }"
    nginx(box, "edge14", server, "--network=edge14net", "-p", "8089:8080")
    box.provider.dns_stop()
    box.provider.dns_start()

    def fails() -> bool:
        box.provider.curl(f"http://{BOX_ADDRESS}:8089/", check=False)
        return box.docker("logs", "edge14").stderr.count("192.0.2.77") > 4

    box.wait_for(fails, what="calls of the old address")
    assert first_command(box, "network.calls-failing", "edge14") == (
        "getent ahosts api.lab.test && docker restart edge14"
    )
