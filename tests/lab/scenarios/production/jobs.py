"""Hosts whose containers end as they should: runners of CI, backups and jobs of cron."""

from __future__ import annotations

from tests.lab import Box, healthy
from tests.lab.programs import load_server
from tests.lab.scenarios.production.helpers import calm_for_others, stand_in, up, wait_lines

_RUNNER_START = """
Runtime platform    arch=amd64 os=linux pid=7 revision=66a723c3 version=17.5.0
Running in system-mode.
Configuration loaded    builds=0 max_builds=4
WARNING: The active runners with same token found    runner=t1_x
"""
_RUNNER_AGAIN = """
Checking for jobs... received    job=4711 repo_url=https://git.lab.test/shop/api.git runner=t1_x
Job succeeded    duration_s=31.4 job=4709 project=12 runner=t1_x
WARNING: Job failed: exit code 1    duration_s=12.8 exit_code=1 failure_reason=script_failure job=4710 project=12 runner=t1_x
"""
_RUNNER = """
services:
  runner:
    image: gitlab/gitlab-runner:v17.5.0
    restart: always
    volumes: ["/var/run/docker.sock:/var/run/docker.sock", "./config:/etc/gitlab-runner"]
  registry:
    image: registry:2
    restart: always
    ports: ["127.0.0.1:5500:5000"]
    volumes: ["registry:/var/lib/registry"]
    environment: {REGISTRY_STORAGE_DELETE_ENABLED: "true"}
volumes: {registry: {}}
"""
_REGISTRY_AGAIN = """
time="2026-11-10T06:25:24Z" level=error msg="response completed with error" err.code="manifest unknown" err.detail="unknown tag=latest" err.message="manifest unknown" go.version=go1.20.8 http.request.host="registry:5000" http.request.method=GET http.request.remoteaddr="172.25.0.1:39122" http.request.uri="/v2/shop/manifests/latest" http.request.useragent="docker/28.5.2" http.response.contenttype="application/json" http.response.status=404
172.25.0.1 - - [10/Nov/2026:06:25:24 +0000] "GET /v2/shop/manifests/4711 HTTP/1.1" 200 1862 "" "docker/28.5.2"
"""


def _job_of_the_runner(box: Box, number: int, kind: str, script: str) -> None:
    """Run a container of a CI job to its end, named and labelled as the runner does."""
    prefix = "com.gitlab.gitlab-runner"
    values = {
        "job.id": number,
        "job.ref": "main",
        "project.id": 12,
        "type": kind,
        "managed": "true",
    }
    labels = [f"--label={prefix}.{key}={value}" for key, value in values.items()]
    name = f"runner-t1x-project-12-concurrent-0-{number}-{kind}"
    box.docker("run", f"--name={name}", *labels, "node:20", "sh", "-c", script, check=False)


@healthy()
def runner_of_gitlab(box: Box) -> None:
    """A runner with the engine's socket, whose jobs ended with 0 and with 1: tests that fail are
    what it is for. Services of a job were killed at its end."""
    stand_in(box, "gitlab/gitlab-runner:v17.5.0", "gitlab-runner", start="cat /etc/gitlab-runner/config.toml >/dev/null", first=_RUNNER_START, again=_RUNNER_AGAIN)  # fmt: skip
    stand_in(box, "registry:2", "registry", "EXPOSE 5000", web=(5000,), again=_REGISTRY_AGAIN)
    stand_in(box, "node:20", "node")
    box.write("/opt/ci/config/config.toml", 'concurrent = 4\n[[runners]]\n  executor = "docker"\n')
    up(box, "ci", _RUNNER)
    _job_of_the_runner(box, 4709, "build", "echo '$ npm test'; echo '41 passing (2s)'")
    failed = "echo '$ npm test'; echo '1) refuses an empty basket: AssertionError: expected 400, got 500' >&2; exit 1"
    _job_of_the_runner(box, 4710, "build", failed)
    box.docker("run", "-d", "--name=runner-t1x-project-12-concurrent-0-4710-postgres-0", "--label=com.gitlab.gitlab-runner.type=service", "node:20", "sleep", "1000")  # fmt: skip
    box.docker("kill", "runner-t1x-project-12-concurrent-0-4710-postgres-0")
    wait_lines(box, "ci-runner-1", "ci-registry-1", lines=20)
    calm_for_others(box)


_OFFEN_AGAIN = """
time=2026-11-10T04:00:00.000Z level=INFO msg="Now running script on schedule @daily"
time=2026-11-10T04:00:01.000Z level=INFO msg="Stopping 1 out of 3 running container(s) as they were labeled docker-volume-backup.stop-during-backup=true."
time=2026-11-10T04:00:09.000Z level=INFO msg="Restarted 1 container(s)."
time=2026-11-10T04:00:10.000Z level=INFO msg="Finished running backup tasks."
"""
_BACKUP = """
services:
  app:
    image: redis:7.0
    command: [redis-server, --appendonly, "yes", --dir, /data]
    user: "1000:1000"
    restart: unless-stopped
    labels: [docker-volume-backup.stop-during-backup=true]
    volumes: ["./data:/data"]
  backup:
    image: offen/docker-volume-backup:v2
    restart: always
    environment: {BACKUP_CRON_EXPRESSION: "@daily", BACKUP_RETENTION_DAYS: "7"}
    volumes: ["./data:/backup/data:ro", "/srv/backups:/archive", "/var/run/docker.sock:/var/run/docker.sock:ro", "/etc/localtime:/etc/localtime:ro"]
"""
_NIGHTLY = """#!/bin/sh
# nightly: dump, prune, check
docker run --rm --name nightly-dump -v /srv/backups:/out bb:1.36 sh -c 'echo dump >/out/dump.sql' || exit 1
docker run --name nightly-check bb:1.36 sh -c 'echo "repository contains 3 snapshots, no errors were found"; exit 0'
docker run --name nightly-diff bb:1.36 sh -c 'echo "2 files differ"; exit 1' || [ $? -eq 1 ]
docker run --name nightly-rsync bb:1.36 sh -c 'echo "rsync warning: some files vanished before they could be transferred (code 24)"; exit 24' || [ $? -eq 24 ]
"""


@healthy()
def backups_by_night(box: Box) -> None:
    """A backup stops the program whose data it copies, and starts it again; jobs of cron ended with
    codes that their script accepts."""
    load_server(box, "redis-server", "redis:7.0", "EXPOSE 6379")
    stand_in(box, "offen/docker-volume-backup:v2", "backup", again=_OFFEN_AGAIN)
    box.sh("mkdir -p /srv/backups /opt/keep/data && chown 1000:1000 /opt/keep/data")
    up(box, "keep", _BACKUP)
    box.image("bb:1.36")
    box.write("/usr/local/bin/nightly", _NIGHTLY, 0o755)
    box.write("/etc/cron.d/nightly", "30 3 * * * root /usr/local/bin/nightly >/var/log/nightly.log 2>&1\n")  # fmt: skip
    box.docker("stop", "keep-app-1")
    box.sh("/usr/local/bin/nightly >/var/log/nightly.log 2>&1", timeout=60)
    box.docker("start", "keep-app-1")
    box.wait_for(lambda: "Ready to accept" in box.docker("logs", "keep-app-1").stdout, what="redis")
    wait_lines(box, "keep-backup-1", lines=12)
    calm_for_others(box)
