"""Hosts with images that supervise several processes, with users of their own, and with programs
that try again until they are well."""

from __future__ import annotations

from tests.lab import Box, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.production.helpers import calm_for_others, stand_in, up, wait_lines
from tests.lab.scenarios.resources import remapped

_S6 = """#!/bin/sh
echo '[migrations] started'
echo '[migrations] no migrations found'
echo 'usermod: no changes'
echo '[custom-init] No custom files found, skipping...'
echo "chown: changing ownership of '/config/ro': Read-only file system"
echo '[ls.io-init] done.'
httpd -p 8989 -h /www
sleep 1000 &
while :; do echo '[Info] RssSyncService: Starting RSS Sync'; echo '[Warn] TorrentRss: Indexer rarbg rss sync failed: 503'; sleep 2; done
"""
_SUPERVISOR = """#!/bin/sh
echo "CRIT Supervisor is running as root.  Privileges were not dropped because no user is specified in the config file."
echo 'INFO supervisord started with pid 1'
echo "INFO spawned: 'cron' with pid 7"; echo "INFO spawned: 'web' with pid 8"; echo "INFO spawned: 'setup' with pid 9"
echo "INFO success: web entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)"
echo "INFO exited: setup (exit status 0; expected)"
httpd -p 80 -h /www
sleep 1000 &
while :; do echo "INFO reaped unknown pid 41 (exit status 0)"; sleep 2; done
"""
_APPS = """
services:
  sonarr:
    image: lscr.io/linuxserver/sonarr:4.0.9
    environment: {PUID: "1000", PGID: "1000", TZ: Etc/UTC}
    volumes: ["./sonarr:/config", "/srv/media:/tv"]
    ports: ["8989:8989"]
    restart: unless-stopped
  panel:
    image: panel:5
    ports: ["8085:80"]
    restart: unless-stopped
"""


@healthy()
def images_with_supervisors(box: Box) -> None:
    """An image with s6 and one with supervisord, which say CRIT and Warn while they are well."""
    for image, script, port in (
        ("lscr.io/linuxserver/sonarr:4.0.9", _S6, 8989),
        ("panel:5", _SUPERVISOR, 80),
    ):
        files = {"init": (script.encode(), 0o755)}
        load(box, image, Recipe(files, ('ENTRYPOINT ["/init"]', f"EXPOSE {port}")))
    box.sh("mkdir -p /opt/apps/sonarr /srv/media && chown -R 1000:1000 /opt/apps/sonarr /srv/media")
    up(box, "apps", _APPS)
    wait_lines(box, "apps-sonarr-1", "apps-panel-1")
    calm_for_others(box)


_RETRIES = """#!/bin/sh
n=0
while [ $n -lt 6 ]; do
  n=$((n + 1))
  echo "WARN  HikariPool-1 - Connection to db:5432 refused. Check that the hostname and port are correct (attempt $n)"
  echo "Caused by: java.net.ConnectException: Connection refused"
  sleep 0.3
done
until nc -w 1 db 5432 </dev/null; do echo "ERROR could not connect to db:5432, retrying"; sleep 0.3; done
echo "INFO  HikariPool-1 - Start completed."
httpd -p 8080 -h /www
while :; do echo "INFO  order placed"; sleep 1; done
"""
_LATE_DATABASE = """#!/bin/sh
echo 'PostgreSQL init process in progress'
sleep 3
nc -ll -p 5432 -e cat &
echo 'LOG:  database system is ready to accept connections'
wait
"""
_RETRYING = """
services:
  api:
    image: api:3
    ports: ["8086:8080"]
    restart: unless-stopped
    environment: {SPRING_DATASOURCE_URL: "jdbc:postgresql://db:5432/shop"}
    healthcheck: {test: [CMD-SHELL, "wget -qO- http://127.0.0.1:8080/"], interval: 2s, timeout: 5s, start_period: 60s}
  worker:
    image: api:3
    command: [sh, -c, "nc -w 1 db 5432 </dev/null || { echo 'FATAL: could not connect to server: Connection refused'; exit 1; }; echo ready; exec sleep 1000"]
    restart: on-failure
  db:
    image: late-postgres:16
    restart: unless-stopped
"""


@healthy()
def programs_that_tried_until_their_database_was_up(box: Box) -> None:
    """An API logs its refused calls, and a worker was restarted by its policy, until the database
    listened; both are well now."""
    for image, script, name in (("api:3", _RETRIES, "java"), ("late-postgres:16", _LATE_DATABASE, "postgres")):  # fmt: skip
        path = f"usr/local/bin/{name}"
        load(box, image, Recipe({path: (script.encode(), 0o755)}, (f'CMD ["/{path}"]',)))
    up(box, "late", _RETRYING)
    box.wait_health("late-api-1", "healthy")
    box.wait_for(lambda: "ready" in box.docker("logs", "late-worker-1").stdout, what="the worker")
    started = box.inspect("late-worker-1")["State"]["StartedAt"]
    box.sh("sleep 11", timeout=30)  # a run that is longer than those before it
    assert box.inspect("late-worker-1")["State"]["StartedAt"] == started
    calm_for_others(box)


_REMAPPED = """
services:
  app:
    image: shop-app:1
    ports: ["8087:8080"]
    volumes: ["data:/data", "./app.conf:/etc/app.conf:ro"]
    restart: unless-stopped
  cron:
    image: shop-app:1
    userns_mode: host
    command: [sh, -c, "while :; do echo 'INFO pruned 0 files'; sleep 1; done"]
    volumes: ["/srv/pruned:/pruned"]
    restart: unless-stopped
volumes: {data: {}}
"""


@healthy(engine_started=False)
def engine_that_remaps_users(box: Box) -> None:
    """An engine with userns-remap; one container is excepted from it on purpose."""
    remapped(box)
    stand_in(
        box, "shop-app:1", "shop", "EXPOSE 8080", web=(8080,),
        start="cat /etc/app.conf >/dev/null; echo 1 >/data/counter", again="INFO saved /data/counter",
    )  # fmt: skip
    box.sh("mkdir -p /srv/pruned")
    box.write("/opt/remap/app.conf", "debug = false\n", 0o644)
    up(box, "remap", _REMAPPED)
    wait_lines(box, "remap-app-1", "remap-cron-1")
    calm_for_others(box)
