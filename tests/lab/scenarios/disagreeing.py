"""Settings of one container about another that do not fit; look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.programs import load_server
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.real_servers import NGINX

DISAGREE = "container.settings-disagree"
_SERVES = "mkdir -p /tmp/www/$STORE_DEFAULT_BUCKET && touch /tmp/www/$STORE_DEFAULT_BUCKET/list && exec httpd -f -p 9000 -h /tmp/www"
_ASKS = (
    'while :; do wget -qO- http://$STORE_HOST:9000/$PHOTOS_BUCKET/list && echo "read the list" || '
    "echo \"ERROR storage: bucket '$PHOTOS_BUCKET' not found\" >&2; sleep 1; done"
)


def _count(box: Box, name: str, words: str) -> int:
    done = box.docker("logs", name)
    return (done.stdout + done.stderr).count(words)


def _photos(box: Box, number: int, bucket: str) -> str:
    """A program that asks a store for a bucket, and a store with the bucket `films`; its name."""
    name, network = f"photos{number}", f"photos{number}net"
    box.docker("network", "create", network)
    options = (*SAFE, f"--network={network}")
    store = (f"--name=store{number}", "--env=STORE_DEFAULT_BUCKET=films", *options)
    box.docker("run", "-d", *store, "bb:1.36", "sh", "-c", _SERVES)
    given = (f"--env=STORE_HOST=store{number}", f"--env=PHOTOS_BUCKET={bucket}")
    box.docker("run", "-d", f"--name={name}", *options, *given, "bb:1.36", "sh", "-c", _ASKS)
    return name


@fault(DISAGREE, subject="container:photos51")
def bucket_that_the_store_was_not_made_with(box: Box) -> None:
    """The caller's variable names another bucket than that of the store."""
    name = _photos(box, 51, "pictures")
    box.wait_for(lambda: _count(box, name, "not found") > 4, what="refusals")
    command = first_command(box, DISAGREE, name)
    assert command == f"diagnose recreate {name} -- --env=PHOTOS_BUCKET=films | sh", command


@healthy()
def bucket_that_both_name(box: Box) -> None:
    """The same bucket on both sides."""
    name = _photos(box, 52, "films")
    box.wait_for(lambda: _count(box, name, "read the list") > 3, what="answers")


_TAKES = (
    'case "$HTTP_X_TOKEN" in "$AGENT_SECRET") echo "Status: 200"; echo; echo work;; '
    '*) echo "Status: 401"; echo;; esac'
)
_GATE = (
    "mkdir -p /tmp/www/cgi-bin && printf '%s\\n' '#!/bin/sh' \"$TAKES\" >/tmp/www/cgi-bin/work && "
    "chmod +x /tmp/www/cgi-bin/work && exec httpd -f -p 8000 -h /tmp/www"
)
_CALLS = (
    'while :; do wget -qO- --header "X-Token: $AGENT_SECRET" http://$SERVER:8000/cgi-bin/work '
    "&& echo 'did the work' || echo 'ERROR agent: the server says: invalid agent secret' >&2; "
    "sleep 1; done"
)


def _agent(box: Box, number: int, secret: str) -> str:
    """An agent and its server, which lets those in that show its secret; the agent's name."""
    name, network = f"agent{number}", f"agent{number}net"
    box.docker("network", "create", network)
    options = (*SAFE, f"--network={network}")
    takes = ("--env=AGENT_SECRET=made-up-Qx7pLm2vZt", f"--env=TAKES={_TAKES}")
    gate = (f"--name=gate{number}", *takes, *options)
    box.docker("run", "-d", *gate, "bb:1.36", "sh", "-c", _GATE)
    given = (f"--env=AGENT_SECRET={secret}", f"--env=SERVER=gate{number}")
    box.docker("run", "-d", f"--name={name}", *options, *given, "bb:1.36", "sh", "-c", _CALLS)
    return name


@fault(DISAGREE, subject="container:agent53")
def secret_that_the_server_does_not_have(box: Box) -> None:
    """The agent has another secret than its server, under the same name."""
    name = _agent(box, 53, "made-up-Hd4kWs9cRb")
    box.wait_for(lambda: _count(box, name, "invalid agent secret") > 4, what="refusals")


@healthy()
def secret_that_both_have(box: Box) -> None:
    """The same secret on both sides."""
    name = _agent(box, 54, "made-up-Qx7pLm2vZt")
    box.wait_for(lambda: _count(box, name, "did the work") > 3, what="work")


# -- an address without a host --------------------------------------------------------

MALFORMED = "container.variable-malformed"
_CONNECTS = (
    "url=$(sed -n 's/.*server: //p' /app/data/settings.yaml); place=${url#*//}; place=${place%%/*}; "
    'echo "connecting to $url"; nc -z "${place:-localhost}" 1883 && exec sleep 1000; '
    "echo 'ERROR failed to connect, exiting ()'; exit 1"
)


def _bridge(box: Box, number: int, url: str) -> str:
    """A program that reads the address of its broker from a mounted file; its name."""
    name, network = f"bridge{number}", f"bridge{number}net"
    box.docker("network", "create", network)
    options = (*SAFE, f"--network={network}")
    serves = ("bb:1.36", "nc", "-ll", "-p", "1883", "-e", "cat")
    box.docker("run", "-d", f"--name=broker{number}", *options, *serves)
    box.write(f"/srv/{name}/settings.yaml", f"mqtt:\n  server: {url}\n")
    folder = (f"--volume=/srv/{name}:/app/data", "--restart=always")
    box.docker("run", "-d", f"--name={name}", *options, *folder, "bb:1.36", "sh", "-c", _CONNECTS)
    return name


@fault(MALFORMED, subject="container:bridge55", also=["container.restart-loop"])
def address_without_a_host_in_a_mounted_file(box: Box) -> None:
    """`mqtt:///broker` has the broker's name as its path, and the program calls itself."""
    name = _bridge(box, 55, "mqtt:///broker55")
    box.wait_for(lambda: _count(box, name, "exiting ()") > 3, what="restarts")
    command = first_command(box, MALFORMED, name)
    assert "'s|mqtt:///broker55|mqtt://broker55|g' /srv/bridge55/settings.yaml" in command, command


@healthy()
def address_with_a_host_in_a_mounted_file(box: Box) -> None:
    """The same with two slashes."""
    name = _bridge(box, 56, "mqtt://broker56")
    box.wait_for(lambda: box.inspect(name)["State"]["Running"], what="a start")


# -- a page that a check does not find -------------------------------------------------

ANSWERS = "container.answers-with-errors"
_PAGES = "server {{ listen 80; access_log /dev/stdout; location = /{page} {{ return 200 ok; }} location / {{ return 404; }} }}"


def _checked(box: Box, number: int, page: str) -> str:
    """A web server, and a container that asks it for one page again and again; its name."""
    name, network = f"checked{number}", f"checked{number}net"
    server = load_server(box, "nginx", "nginx:1.27")
    box.docker("network", "create", network)
    box.write(f"/srv/{name}.conf", NGINX % _PAGES.format(page=page))
    options = (*SAFE, f"--network={network}", f"--volume=/srv/{name}.conf:/etc/nginx/nginx.conf:ro")
    box.docker("run", "-d", f"--name={name}", *options, "nginx:1.27", server)
    asks = f"while :; do wget -qO- http://{name}/check.php && echo ok || echo; sleep 0.5; done"
    box.docker("run", "-d", f"--name=asker{number}", *SAFE, f"--network={network}", "bb:1.36", "sh", "-c", asks)  # fmt: skip
    return name


@fault(ANSWERS, subject="container:checked57")
def page_that_the_check_of_a_neighbour_does_not_find(box: Box) -> None:
    """A container asks for a page that the server does not have, and for nothing else."""
    name = _checked(box, 57, "health.php")
    box.wait_for(lambda: _count(box, name, " 404 ") > 8, what="answers")


@healthy()
def page_that_the_check_of_a_neighbour_finds(box: Box) -> None:
    """The same with the page."""
    name = _checked(box, 58, "check.php")
    box.wait_for(lambda: _count(box, name, " 200 ") > 8, what="answers")
