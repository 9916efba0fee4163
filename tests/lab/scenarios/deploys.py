"""Deployments that stopped half way."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.lab import Box, Engines, fault, healthy, images
from tests.lab.images import Recipe
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE

SAFE = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")


def labels(project: str, service: str, **further: str) -> list[str]:
    """The labels with which compose marks a container."""
    marks = {
        "project": project,
        "service": service,
        "container-number": "1",
        "oneoff": "False",
        "project.working_dir": f"/srv/{project}",
        "project.config_files": f"/srv/{project}/compose.yaml",
        **further,
    }
    return [f"--label=com.docker.compose.{key}={value}" for key, value in marks.items()]


_NO_GRACE = """
[thresholds."container.recreate-interrupted"]
grace = 0
[thresholds."container.older-than-its-tag"]
settled = 0
"""


@fault("container.recreate-interrupted", subject="container:*_kiosk-web-1")
def recreate_that_broke_off(box: Box) -> None:
    """A deployment renamed the old container, created the new one, and was killed: neither runs."""
    box.write("/etc/diagnose/lab.toml", _NO_GRACE)
    options = (*SAFE, *labels("kiosk", "web"), "--publish=18090:80")
    box.docker("run", "-d", "--name=kiosk-web-1", *options, "bb:1.36", "sleep", "1000")
    box.docker("stop", "kiosk-web-1")
    old = f"{box.inspect('kiosk-web-1')['Id'][:12]}_kiosk-web-1"
    box.docker("rename", "kiosk-web-1", old)
    box.docker("create", "--name=kiosk-web-1", *options, "bb:1.36", "sleep", "1000")
    again = box.docker("rename", old, "kiosk-web-1", check=False).stderr
    assert "already in use" in again


@fault("container.recreate-interrupted", subject="container:0a1b2c3d4e5f_kiosk-api-1", exit_code=1)
def recreate_that_forgot_the_name(box: Box) -> None:
    """The new container runs under its temporary name, and the old one is gone."""
    box.write("/etc/diagnose/lab.toml", _NO_GRACE)
    options = (*SAFE, *labels("kiosk", "api"), "--name=0a1b2c3d4e5f_kiosk-api-1")
    box.docker("run", "-d", *options, "bb:1.36", "sleep", "1000")


@fault(
    "container.restart-loop",
    subject="container:kiosk-pos-1",
    config={"insecure-registries": ["192.0.2.0/24"]},
    also=["security.insecure-registry"],
)
def tag_that_brought_a_broken_build(box: Box) -> None:
    """A tag of a registry moved on to a build that ends in words that no row knows.

    The build before has its digest left, and works.
    """
    image = f"{box.provider.registry_start()}/kiosk/pos:live"
    images.load(box, image, Recipe(changes=('CMD ["sleep","1000"]',)))
    box.docker("push", "-q", image)
    box.docker("run", "--rm", image, "sleep", "1")  # the engine notes the second of a build
    broken = 'CMD ["sh","-c","sleep 1; echo till closed; exit 3"]'
    images.load(box, image, Recipe(changes=(broken,)))
    box.docker("push", "-q", image)
    options = (*SAFE, *labels("kiosk", "pos"), "--name=kiosk-pos-1")
    box.docker("run", "-d", *options, image)
    box.wait_for(lambda: box.inspect("kiosk-pos-1")["RestartCount"] > 3, what="the restarts")
    command = first_command(box, "container.restart-loop", "kiosk-pos-1")
    assert command.startswith(f"diagnose recreate kiosk-pos-1 --image {image[:-5]}@sha256:"), (
        command
    )


@fault("container.older-than-its-tag", subject="container:kiosk-shop-1", exit_code=0)
def tag_moved_under_a_container(box: Box) -> None:
    """A newer build has taken the tag, and the container was restarted instead of recreated."""
    box.write("/etc/diagnose/lab.toml", _NO_GRACE)
    images.load(box, "kiosk:live", Recipe({"version": (b"8", 0o644)}))
    options = (*SAFE, *labels("kiosk", "shop"), "--name=kiosk-shop-1")
    box.docker("run", "-d", *options, "kiosk:live", "sleep", "1000")
    images.load(box, "kiosk:live", Recipe({"version": (b"9", 0o644)}))
    box.docker("restart", "kiosk-shop-1")
    assert box.docker("exec", "kiosk-shop-1", "cat", "/version").stdout == "8"


@healthy()
def names_that_only_look_temporary(box: Box) -> None:
    """A container of no project whose name begins like an id, and one on the build of its tag."""
    box.write("/etc/diagnose/lab.toml", _NO_GRACE)
    box.docker("create", "--name=0a1b2c3d4e5f_backup", *SAFE, "bb:1.36", "true")
    images.load(box, "kiosk:live", Recipe({"version": (b"9", 0o644)}))
    options = (*SAFE, *labels("kiosk", "shop"), "--name=kiosk-shop-1")
    box.docker("run", "-d", *options, "kiosk:live", "sleep", "1000")


# -- volumes that outlive their image ----------------------------------------


def _release(box: Box, number: int, **pages: str) -> None:
    """An image of a site with these pages and a style sheet of its own length."""
    contents = {"index.html": "<p>release " + str(number) + "</p>", "css/site.css": "p{}" * number}
    files = {f"www/{name}": (text.encode(), 0o644) for name, text in {**contents, **pages}.items()}
    images.load(box, f"site:{number}", Recipe(files))


@fault(
    "container.volume-outdated",
    subject="container:front",
    exit_code=0,
    shareable=True,
    engines=Engines(since=26),
)
def pages_of_the_release_before(box: Box) -> None:
    """A new release is deployed with the volume that was filled by the one before."""
    _release(box, 1)
    _release(box, 22)
    options = (*SAFE, "--name=front", "--volume=pages:/www")
    box.docker("run", "-d", *options, "site:1", "sleep", "1000")
    box.docker("rm", "-f", "front")
    box.docker("run", "-d", *options, "site:22", "sleep", "1000")
    assert "release 1<" in box.docker("exec", "front", "cat", "/www/index.html").stdout


def _build(box: Box, name: str, digest: str) -> None:
    """An image of a site whose scripts are named after their content, and have one length."""
    script = Recipe({f"www/dist/js/main.{digest}.js": (digest.encode(), 0o644)})
    images.load(box, name, script)


@fault(
    "container.volume-outdated",
    subject="container:stage",
    exit_code=0,
    shareable=True,
    engines=Engines(since=26),
)
def scripts_of_the_build_before(box: Box) -> None:
    """A new build gives its scripts new names, and the volume has those of the build before."""
    _build(box, "stage:1", "a1b2c3d4")
    _build(box, "stage:2", "e5f6a7b8")
    options = (*SAFE, "--name=stage", "--volume=scripts:/www")
    box.docker("run", "-d", *options, "stage:1", "sleep", "1000")
    box.docker("rm", "-f", "stage")
    box.docker("run", "-d", *options, "stage:2", "sleep", "1000")
    assert "main.a1b2c3d4.js" in box.docker("exec", "stage", "ls", "/www/dist/js").stdout


@healthy(shareable=True)
def scripts_that_a_container_builds_itself(box: Box) -> None:
    """A program builds its scripts at its start into a volume that the image has filled."""
    _build(box, "forge:1", "a1b2c3d4")
    build = "rm /www/dist/js/*; echo x >/www/dist/js/main.e5f6a7b8.js; exec sleep 1000"
    options = (*SAFE, "--name=forge", "--volume=built:/www")
    box.docker("run", "-d", *options, "forge:1", "sh", "-c", build)
    box.wait_for(
        lambda: "e5f6" in box.docker("exec", "forge", "ls", "/www/dist/js").stdout,
        what="the script",
    )


def _broker(box: Box, *packages: str) -> None:
    """An image of a program with these packages, which it needs."""
    needs = " ".join(packages)
    script = f"""#!/bin/sh
for package in {needs}; do
  [ -e /app/node_modules/$package ] && continue
  echo "Error: Cannot find module '$package'" >&2; sleep 1; exit 1
done
exec sleep 1000
"""
    files = {f"app/node_modules/{name}/package.json": (b"{}", 0o644) for name in packages}
    box.docker("rm", "-f", "broker", check=False)
    images.load(
        box, f"broker:{len(packages)}", Recipe({**files, "app/run": (script.encode(), 0o755)})
    )


@fault(
    "container.volume-outdated",
    subject="container:broker",
    also=["container.restart-loop", "container.exits-at-start"],
    engines=Engines(since=26),
)
def packages_of_the_release_before(box: Box) -> None:
    """A release needs one more package, and the volume over node_modules has those of before."""
    options = (*SAFE, "--name=broker", "--volume=modules:/app/node_modules")
    _broker(box, "express")
    box.docker("run", "-d", *options, "broker:1", "/app/run")
    _broker(box, "express", "dotenv")
    box.docker("run", "-d", *options, "broker:2", "/app/run")
    box.wait_for(lambda: box.inspect("broker")["RestartCount"] > 3, what="the restarts")


@healthy(shareable=True)
def volumes_of_the_same_release(box: Box) -> None:
    """A volume that was filled by the same image, a page in it that was written since, and one
    that begins with other files."""
    _release(box, 3)
    box.docker("run", "-d", *SAFE, "--name=rear", "-v", "pages3:/www", "site:3", "sleep", "1000")
    box.docker("exec", "rear", "sh", "-c", "echo changed by hand >/www/index.html")
    box.docker("run", "--rm", "-v", "own:/data", "bb:1.36", "sh", "-c", "echo x >/data/index.html")
    box.docker("run", "-d", *SAFE, "--name=own", "-v", "own:/www", "site:3", "sleep", "1000")


@fault("container.mount-forbidden", subject="container:ledger", also=["container.restart-loop"])
def folders_of_a_restore(box: Box) -> None:
    """A volume was restored from an archive without entries for folders: these are root's."""
    box.docker("volume", "create", "ledger")
    data = "/var/lib/docker/volumes/ledger/_data"
    box.sh(f"mkdir -p {data}/base {data}/wal; echo 16 >{data}/base/control; chown -R 1000 {data}")
    box.sh(f"chown 0:0 {data}/base {data}/wal; chmod 700 {data}/base {data}/wal")
    program = "cat /data/base/control >/dev/null && echo 1 >/data/wal/1 && exec sleep 1000"
    options = (*SAFE, "--user=1000:1000", "--volume=ledger:/data", "--name=ledger")
    box.docker("run", "-d", *options, "bb:1.36", "sh", "-c", program)
    box.wait_for(lambda: box.inspect("ledger")["RestartCount"] > 2, what="the restarts")
    command = first_command(box, "container.mount-forbidden", "ledger")
    assert command.startswith(f"chown -R 1000:1000 {data}\n"), command


@fault("container.option-missing", subject="container:job7", also=["container.exits-at-start"])
def job_that_does_not_call_its_engine(box: Box) -> None:
    """A build job looks for the host's socket, and its engine listens in a container beside it."""
    box.docker("network", "create", "ci")
    images.load(box, "docker:27-dind", Recipe(changes=('CMD ["httpd","-f","-p","2375"]',)))
    engine = ("--name=job7-docker-0", "--network=ci", "--network-alias=docker", "docker:27-dind")
    box.docker("run", "-d", *SAFE[:2], *engine)
    error = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    script = f'[ -n "$DOCKER_HOST" ] && exec sleep 1000; echo "ERROR: {error}"; exit 1'
    options = (*SAFE[:2], "--name=job7", "--network=ci")
    box.docker("run", "-d", *options, "bb:1.36", "sh", "-c", script)
    box.wait_state("job7", "exited")
    command = first_command(box, "container.option-missing", "job7")
    assert command == "diagnose recreate job7 -- --env=DOCKER_HOST=tcp://docker:2375 | sh", command


SHELL = ("bb:1.36", "sh", "-c")
_CALLING = """
while :; do
    ping -c 1 db >/dev/null 2>&1 || echo "could not translate host name \\"db\\" to address: Name or service not known"
    sleep 0.3
done
"""


@fault("container.removed", subject="container:db", also=["container.errors-in-log", "dns.*"])
def pruned_database(box: Box) -> None:
    """A database was stopped for a moment, and a prune took it; the program runs on without."""
    box.docker("network", "create", "shopnet")
    box.docker("run", "-d", "--name=db", "--network=shopnet", *SAFE, "shop:1.4")
    box.docker("stop", "db")
    time.sleep(1.5)  # the engine dates the stop's signal, and a prune takes what was down before
    box.docker("container", "prune", "--force")
    box.docker("run", "-d", "--name=api", "--network=shopnet", *SAFE, *SHELL, _CALLING)
    box.wait_for(lambda: box.docker("logs", "api").stdout.count("db") > 3, what="the failed calls")
    actions = [event.get("Action") for event in _events(box)]
    assert actions.index("destroy") < actions.index("prune")


def _events(box: Box) -> list[dict[str, Any]]:
    told = box.docker("events", "--since=1h", "--until=0s", "--format={{json .}}").stdout
    return [json.loads(line) for line in told.splitlines()]


_WATCHTOWER = """#!/bin/sh
say() { echo "time=\\"$(date -u +%FT%TZ)\\" level=$1 msg=\\"$2\\"" >&2; }
say info 'Watchtower 1.7.1'
until [ -e /tmp/gone ]; do sleep 0.1; done
say info 'Stopping /blog (6b1d3b4b1c2f) with SIGTERM'
say info 'Creating /blog'
say error "Error response from daemon: $(cat /tmp/gone)"
exec sleep 1000
"""


@fault("container.removed", subject="container:blog", also=["security.docker-socket-mounted"])
def update_that_lost_a_container(box: Box) -> None:
    """An updater replaced a container whose link leads nowhere: the engine refuses the new one."""
    image = "containrrr/watchtower:1.7.1"
    images.load(box, image, Recipe({"app": (_WATCHTOWER.encode(), 0o755)}, ('CMD ["/app"]',)))
    socket = "--volume=/var/run/docker.sock:/var/run/docker.sock"
    box.docker("run", "-d", "--name=watchtower", socket, *SAFE, image)
    box.docker("run", "-d", "--name=mariadb1", *SAFE, "shop:1.4")
    linked = ("run", "-d", "--name=blog", "--link=mariadb1", *SAFE, "shop:1.4")
    box.docker(*linked)
    box.docker("rm", "--force", "mariadb1", "blog")
    refused = box.docker(*linked, check=False).stderr
    assert "No such container: mariadb1" in refused
    reason = refused.partition("daemon: ")[2].splitlines()[0]
    box.docker(
        "exec", "watchtower", "sh", "-c", f"echo '{reason}' >/tmp/part; mv /tmp/part /tmp/gone"
    )
    box.wait_for(lambda: "level=error" in box.docker("logs", "watchtower").stderr, what="its error")


@healthy()
def container_that_was_no_longer_needed(box: Box) -> None:
    """Containers were removed by hand and by a prune, and nobody calls them."""
    box.docker("run", "-d", "--name=old", *SAFE, "shop:1.4")
    box.docker("run", "-d", "--name=older", *SAFE, "shop:1.4")
    box.docker("stop", "older")
    box.docker("rm", "--force", "old")
    box.docker("container", "prune", "--force")
    assert box.docker("ps", "--all", "--format={{.Names}}").stdout.split() == ["web"]


@fault(
    "container.stopped",
    subject="container:cache",
    also=["container.errors-in-log", "network.calls-failing", "dns.*"],
)
def cache_killed_by_hand(box: Box) -> None:
    """Somebody killed a container that another one calls; its restart policy does not apply."""
    box.docker("network", "create", "killnet")
    box.docker("run", "-d", "--name=cache", "--network=killnet", *SAFE, "shop:1.4")
    calling = _CALLING.replace("db", "cache")
    box.docker("run", "-d", "--name=api", "--network=killnet", *SAFE, *SHELL, calling)
    box.docker("kill", "cache")
    box.wait_for(lambda: box.docker("logs", "api").stdout.count("cache") > 3, what="failed calls")
    assert box.inspect("cache")["State"]["Status"] == "exited"
    assert first_command(box, "container.stopped", "cache") == "docker start cache"


_KILLS = """
import socket, time
print("Stopping /cache2 with SIGKILL", flush=True)
engine = socket.socket(socket.AF_UNIX)
engine.connect("/var/run/docker.sock")
engine.send(b"POST /v1.40/containers/cache2/kill HTTP/1.1\\r\\nHost: d\\r\\nContent-Length: 0\\r\\n\\r\\n")
print(engine.recv(400), flush=True)
time.sleep(1000)
"""


@fault(
    "container.stopped",
    subject="container:cache2",
    also=["container.errors-in-log", "network.calls-failing", "dns.*"],
)
def cache_killed_by_a_container(box: Box) -> None:
    """A container with the engine's socket has killed another one, and its log says so."""
    box.docker("network", "create", "kill2net")
    box.docker("run", "-d", "--name=cache2", "--network=kill2net", *SAFE, "shop:1.4")
    calling = _CALLING.replace("db", "cache2")
    box.docker("run", "-d", "--name=api2", "--network=kill2net", *SAFE, *SHELL, calling)
    socket = "--volume=/var/run/docker.sock:/var/run/docker.sock"
    options = ("--memory=64m", "--pids-limit=64", *MACHINE, socket)
    box.docker("run", "-d", "--name=updater", *options, "bb:1.36", "/usr/bin/python3", "-c", _KILLS)
    box.wait_state("cache2", "exited")
    box.wait_for(lambda: box.docker("logs", "api2").stdout.count("cache2") > 3, what="failed calls")
    (finding,) = box.diagnose("check", "container.stopped", "--format", "json").findings
    assert 'container "updater" says that it stopped the container' in finding["summary"], finding


@healthy()
def app_that_sleeps_until_it_is_called(box: Box) -> None:
    """A program with the engine's socket put an app to sleep, and the proxy before it waits; its
    log says each time that the app's name does not resolve."""
    box.docker("network", "create", "sleepnet")
    sleeper = ("--label=sablier.enable=true", "--network=sleepnet", *SAFE)
    box.docker("run", "-d", "--name=wiki", *sleeper, "shop:1.4")
    socket = "--volume=/var/run/docker.sock:/var/run/docker.sock"
    box.docker("run", "-d", "--name=waker", socket, *SAFE, "bb:1.36", "sleep", "1000")
    calling = _CALLING.replace("db", "wiki")
    box.docker("run", "-d", "--name=front", "--network=sleepnet", *SAFE, *SHELL, calling)
    box.docker("stop", "wiki")
    box.wait_for(lambda: box.docker("logs", "front").stdout.count("wiki") > 3, what="failed calls")
    report = box.diagnose("check", "container.stopped", "--format", "json").report
    (finding,) = report["findings"]
    assert (finding["severity"], finding["subject"]["name"]) == ("advice", "wiki"), finding
