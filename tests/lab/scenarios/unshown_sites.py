"""Web servers that show the welcome page of their image beside a site of their user."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import GOOD

CHECK = "container.site-unread"
_ROOT = "/usr/local/apache2/htdocs"
_WELCOME = b"<html><body><h1>It works!</h1></body></html>\n"
_SITE = "<html><body><h1>The shop</h1></body></html>"


def _serve(box: Box, number: int, place: str) -> str:
    """A web server whose image has a welcome page, with a site mounted at this place."""
    name = f"shown{number}"
    load(box, "welcome:1", Recipe(files={f"{_ROOT[1:]}/index.html": (_WELCOME, 0o644)}))
    box.write(f"/srv/{name}/index.html", _SITE)
    options = ("-p", f"{15400 + number}:80", "-v", f"/srv/{name}:{place}:ro")
    serves = ("httpd", "-f", "-p", "80", "-h", _ROOT)
    box.docker("run", "-d", f"--name={name}", *GOOD, *options, "welcome:1", *serves)
    _wait_until_old(box, name)
    return name


def _wait_until_old(box: Box, name: str) -> None:
    """Programs that have just started are not asked for their page."""
    pid = box.inspect(name)["State"]["Pid"]
    box.wait_for(
        lambda: float(box.sh(f"ps -o etimes= -p {pid}")) > 12, 60, "the program to be older"
    )


def _page(box: Box, number: int) -> str:
    return box.sh(f"curl -s http://127.0.0.1:{15400 + number}/ || true")


@fault(CHECK, subject="container:shown71", shareable=True)
def site_beside_the_served_folder(box: Box) -> None:
    """The site is mounted at /site, and the server shows the folder of its image."""
    name = _serve(box, 71, "/site")
    assert "It works!" in _page(box, 71)
    typed(box, first_command(box, CHECK, name))
    box.wait_for(lambda: "The shop" in _page(box, 71), 60, "the site")
    box.docker("rm", "-f", name)
    _serve(box, 71, "/site")


@healthy(shareable=True)
def site_in_the_served_folder(box: Box) -> None:
    """The site is mounted where the server looks."""
    _serve(box, 72, _ROOT)
    assert "The shop" in _page(box, 72)
