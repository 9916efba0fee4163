"""Limits for uploads of a real nginx, and of the program behind it."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.untold_programs import SAFE, browse, site_of

CHECK = "container.upload-limit-low"
_SERVES = ('CMD ["httpd","-f","-p","8080","-h","/www"]',)


def _stack(box: Box, number: int, limit: str, *settings: str, image: str = "shop:1.4") -> None:
    """A program with these variables behind an nginx with this limit."""
    net, name = f"uploads{number}net", f"uploads{number}"
    box.docker("network", "create", net)
    variables = [f"--env={setting}" for setting in settings]
    box.docker("run", "-d", f"--name={name}", f"--network={net}", *SAFE, *variables, image)
    passed = f"location / {{ proxy_pass http://{name}:8080; }}"
    publish = ("-p", f"{8700 + number}:80", f"--network={net}")
    site_of(box, f"limits{number}", f"listen 80; {limit} {passed}", *publish)


def _found(box: Box, number: int) -> list[str]:
    report = box.diagnose("check", CHECK, "--format", "json")
    return [
        finding["id"]
        for finding in report.findings
        if finding["subject"]["name"] in (f"limits{number}", f"uploads{number}")
    ]


def _with_php(box: Box, number: int, ini: str) -> str:
    """An image with the settings of PHP's own images."""
    files = {"usr/local/etc/php/conf.d/uploads.ini": (ini.encode(), 0o644)}
    name = f"php:{number}"
    load(box, name, Recipe(files=files, changes=_SERVES))
    return name


@fault(CHECK, subject="container:limits11", shareable=True)
def nginx_with_its_default(box: Box) -> None:
    """The program takes 50 MB, and nothing was said to nginx, which takes one."""
    _stack(box, 11, "", "MAX_UPLOAD_SIZE=50M")
    large = ("-H", "Content-Length: 2000000", "-d", "x")
    url = f"http://{BOX_ADDRESS}:8711/"
    box.wait_for(lambda: browse(box, url, *large) == "413", what="the refusal of nginx")


@fault(CHECK, subject="container:uploads12", shareable=True)
def php_with_its_default(box: Box) -> None:
    """nginx was given 100 MB, and PHP behind it has no file with limits."""
    _stack(box, 12, "client_max_body_size 100m;", "PHP_INI_DIR=/usr/local/etc/php")


@healthy(shareable=True)
def both_have_the_same_limit(box: Box) -> None:
    """The limit was raised in nginx, and for the program behind it."""
    _stack(box, 13, "client_max_body_size 50m;", "MAX_UPLOAD_SIZE=50M")
    assert not _found(box, 13)


@healthy(shareable=True)
def php_has_the_limit_of_nginx(box: Box) -> None:
    """The limit was raised in nginx, and in a file of PHP's settings."""
    image = _with_php(box, 14, "upload_max_filesize = 100M\npost_max_size = 100M\n")
    variable = "PHP_INI_DIR=/usr/local/etc/php"
    _stack(box, 14, "client_max_body_size 100m;", variable, image=image)
    assert not _found(box, 14)


@healthy(shareable=True)
def nothing_of_uploads_is_set(box: Box) -> None:
    """nginx has its default, and so has the program behind it."""
    _stack(box, 15, "", "PHP_INI_DIR=/usr/local/etc/php", "LOG_MAX_SIZE=50M")
    assert not _found(box, 15)
