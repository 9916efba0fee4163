"""Real redis, nginx and mariadb of Debian in imported images, that do not start; and their healthy twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.programs import load_server

GOOD = ["--memory=128m", "--pids-limit=100", "--user=1000:1000", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
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
    run(box, name, *config, *options, "nginx:1.22", "/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf")


@fault("container.mount-forbidden", subject="container:cache7", also=["container.exits-at-start"], shareable=True)
def redis_that_names_a_relative_file(box: Box) -> None:
    """Redis may not write its data folder, and names only the file in it."""
    load_server(box, "redis-server", "redis:7.0")
    box.sh("mkdir -p /srv/cache7 && chmod 755 /srv/cache7")
    run(box, "cache7", "-v", "/srv/cache7:/data", "redis:7.0", "redis-server", "--appendonly", "yes", "--dir", "/data")
    assert box.wait_state("cache7", "exited")["State"]["ExitCode"] == 1


@fault("container.mount-forbidden", subject="container:maria7", also=["container.exits-at-start"], shareable=True)
def mariadb_on_a_folder_of_root(box: Box) -> None:
    """MariaDB as user 1000 on a data folder that belongs to root."""
    load_server(box, "mariadb-server-core", "mariadb:10.11")
    box.sh("mkdir -p /srv/maria7 && chmod 755 /srv/maria7")
    run(box, "maria7", "-v", "/srv/maria7:/var/lib/mysql", "mariadb:10.11", "/usr/sbin/mariadbd")
    assert box.wait_state("maria7", "exited")["State"]["ExitCode"] == 1


@fault("container.mount-source-missing", subject="container:edge7", also=["container.exits-at-start"], shareable=True)
def nginx_with_a_folder_for_a_file(box: Box) -> None:
    """nginx includes a file that was missing on the host, so that the engine made a folder of its name."""
    nginx(box, "edge7", "include /etc/nginx/extra.conf;", "-v", "/srv/edge7/extra.conf:/etc/nginx/extra.conf")
    assert box.wait_state("edge7", "exited")["State"]["ExitCode"] == 1


@healthy(shareable=True)
def servers_that_warn_and_work(box: Box) -> None:
    """Redis warns of memory overcommit and of its configuration, and works; nginx serves."""
    load_server(box, "redis-server", "redis:7.0")
    box.sh("mkdir -p /srv/warned7 && chown 1000:1000 /srv/warned7")
    options = ["-v", "/srv/warned7:/data"]
    run(box, "warned7", *options, "redis:7.0", "redis-server", "--appendonly", "yes", "--dir", "/data")
    nginx(box, "served7", "server { listen 8087; }")
    for name in ("warned7", "served7"):
        box.wait_state(name, "running")
    box.wait_for(lambda: "Ready to accept" in box.docker("logs", "warned7").stdout, what="redis to be ready")
