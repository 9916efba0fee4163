"""Lists of origins that let in pages of localhost alone, and their look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import labels
from tests.lab.scenarios.everyday.helpers import first_command

CHECK = "container.host-not-allowed"
SAFE = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")


def _project(box: Box, number: int, origins: str, *, address: str = "") -> None:
    """A server and a page of one project, both published."""
    project = f"origins{number}"
    ports = {"api": f"{address}{8800 + number}:8080", "page": f"{address}{8900 + number}:8080"}
    for service, publish in ports.items():
        variable = f"--env=CORS_ORIGINS={origins}" if service == "api" else "--env=LANG=C"
        name = f"--name={project}-{service}-1"
        marks = labels(project, service)
        box.docker("run", "-d", name, *SAFE, *marks, variable, "-p", publish, "shop:1.4")
        box.wait_state(f"{project}-{service}-1", "running")


def _found(box: Box, number: int) -> list[str]:
    report = box.diagnose("check", CHECK, "--format", "json")
    name = f"origins{number}-api-1"
    return [finding["id"] for finding in report.findings if finding["subject"]["name"] == name]


@fault(CHECK, subject="container:origins21-api-1", shareable=True)
def origins_of_localhost_alone(box: Box) -> None:
    """The page is published for other machines, and the server takes pages of localhost alone."""
    _project(box, 21, "http://localhost:8921")


@healthy(shareable=True)
def origins_of_the_site(box: Box) -> None:
    """The list has the address by which browsers see the page."""
    _project(box, 22, "http://localhost:8922,http://192.0.2.10:8922")
    assert not _found(box, 22)


@healthy(shareable=True)
def origins_for_this_host_alone(box: Box) -> None:
    """Both are published on loopback: nobody but this host has the page."""
    _project(box, 23, "http://localhost:8923", address="127.0.0.1:")
    assert not _found(box, 23)


_REFUSES = 'httpd -p 8080 -h /www; while :; do echo \'192.0.2.7 - - "POST /login HTTP/1.1" 403 9 "-" "Firefox"\'; sleep 1; done'


@fault(CHECK, subject="container:origins24-api-1", shareable=True)
def origins_at_a_port_that_the_page_is_not_at(box: Box) -> None:
    """The list has the port of another page, and the server refuses each login."""
    _project(box, 24, "http://localhost:4001")
    box.docker("rm", "-f", "origins24-api-1")
    marks = labels("origins24", "api")
    own = ("--env=CORS_ORIGINS=http://localhost:4001", "-p", "8824:8080", "--user=1000")
    words = ("bb:1.36", "sh", "-c", _REFUSES)
    box.docker("run", "-d", "--name=origins24-api-1", *SAFE, *marks, *own, *words)
    box.wait_for(
        lambda: box.docker("logs", "origins24-api-1").stdout.count("403") > 3, what="the refusals"
    )


_ERRORS = "container.errors-in-log"
_FORBIDDEN = (
    "INFO 2026-01-02 10:00:00,123 django.security.csrf Forbidden (Origin checking failed - "
    "https://shop.example.com does not match any trusted origins.): /login/"
)
_OF_PORTAINER = (
    "2026/01/02 07:15AM ERR github.com/portainer/portainer/api/http/csrf/csrf.go:100 > Failed to "
    'validate Origin or Referer | error="origin invalid" forwarded= host=portainer:9000 '
    "origin=https://port.example.com:5433 referer=https://port.example.com:5433/ "
    "request_url=/api/auth trusted_origins=[] x_forwarded_proto=https"
)


def _complains(box: Box, name: str, image: str, line: str, *options: str) -> None:
    """A program whose log has these words of Django or Portainer each second."""
    load(box, image, Recipe())
    words = (image, "sh", "-c", 'while :; do echo "$1"; sleep 1; done', "-", line)
    box.docker("run", "-d", f"--name={name}", *SAFE, *options, *words)
    box.wait_for(lambda: len(box.docker("logs", name).stdout.splitlines()) > 6, what="the words")


@fault(_ERRORS, subject="container:forms26", exit_code=1, shareable=True)
def origin_that_django_refuses_as_information(box: Box) -> None:
    """Django's settings give its refusals the level INFO; the command adds the origin."""
    given = "--env=CSRF_TRUSTED_ORIGINS=http://localhost"
    _complains(box, "forms26", "registry.example/forms:1", _FORBIDDEN, given)
    wanted = "--env=CSRF_TRUSTED_ORIGINS=http://localhost,https://shop.example.com | sh"
    assert first_command(box, _ERRORS, "forms26").endswith(wanted)


@fault(_ERRORS, subject="container:portainer27", exit_code=1, shareable=True)
def origin_that_portainer_refuses(box: Box) -> None:
    """A proxy passes requests on for another host name, and the list of origins is empty."""
    _complains(box, "portainer27", "portainer/portainer-ce:2.33.0", _OF_PORTAINER)
    wanted = "diagnose recreate portainer27 -- --env=TRUSTED_ORIGINS=port.example.com | sh"
    command = first_command(box, _ERRORS, "portainer27")
    assert command == wanted, command


@healthy(shareable=True)
def origins_that_are_named_and_not_refused(box: Box) -> None:
    """The same programs at work: their lines have origins, and refuse none."""
    lines = "INFO 2026-01-02 10:00:00,123 django.request trusted origin https://shop.example.com: GET /login/"
    _complains(box, "forms28", "registry.example/forms:1", lines)
    assert not [
        finding
        for finding in box.diagnose("check", _ERRORS, "--format", "json").findings
        if finding["subject"]["name"] == "forms28"
    ]


@healthy(shareable=True)
def origins_at_another_port_with_answers(box: Box) -> None:
    """The list has the port of another page, and nothing is refused: one server serves both."""
    _project(box, 25, "http://localhost:4001")
    assert not _found(box, 25)
