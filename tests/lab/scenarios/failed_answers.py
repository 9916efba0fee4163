"""Web servers that run, listen, and answer with errors; and their healthy twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command, status_outside
from tests.lab.scenarios.programs.helpers import MACHINE

CHECK = "container.answers-with-errors"
_CATALOG = """
import wsgiref.simple_server

def app(environ, start):
    path = environ["PATH_INFO"]
    try:
        page = open("/data" + ("/index" if path == "/" else path), "rb").read()
    except OSError:
        start("500 Internal Server Error", [])
        return [b"something went wrong"]
    start("200 OK", [])
    return [page]

wsgiref.simple_server.make_server("0.0.0.0", 8080, app).serve_forever()
"""
"""It handles each error, and logs nothing of them."""


def _catalog(box: Box, name: str, port: int) -> None:
    box.sh(f"mkdir -p /srv/{name} && echo tea >/srv/{name}/goods && echo 7 >/srv/{name}/price")
    box.docker(
        "run", "-d", f"--name={name}", "--memory=64m", "--pids-limit=64", "-p", f"{port}:8080",
        "-v", f"/srv/{name}:/data:ro", *MACHINE, "bb:1.36", "/usr/bin/python3", "-uc", _CATALOG,
    )  # fmt: skip
    box.wait_for(lambda: status_outside(box, port, "/goods") == "200", what="the catalog to answer")


@fault(CHECK, subject="container:catalog61", shareable=True)
def server_whose_data_is_gone(box: Box) -> None:
    """Its folder was emptied while it runs: each request gets 500, and no log line says why."""
    _catalog(box, "catalog61", 8461)
    box.sh("rm /srv/catalog61/*")
    for path in ("/goods", "/price") * 4:
        assert status_outside(box, 8461, path) == "500"


@fault(CHECK, subject="container:catalog62", shareable=True)
def server_with_one_page_that_fails(box: Box) -> None:
    """One file is gone: the page that needs it always fails, and the others do not."""
    _catalog(box, "catalog62", 8462)
    box.sh("rm /srv/catalog62/price")
    for path in ("/goods", "/price", "/goods") * 3:
        assert status_outside(box, 8462, path) == ("500" if path == "/price" else "200")


@healthy(shareable=True)
def server_that_recovered(box: Box) -> None:
    """A file was gone for a moment."""
    _catalog(box, "catalog63", 8463)
    box.sh("echo welcome >/srv/catalog63/index")
    box.sh("rm /srv/catalog63/goods")
    for _ in range(4):
        assert status_outside(box, 8463, "/goods") == "500"
    box.sh("echo tea >/srv/catalog63/goods")
    assert status_outside(box, 8463, "/goods") == "200"


_PAGES = """
import os, wsgiref.simple_server

def app(environ, start):
    try:
        open("/app/storage/logs/laravel.log", "a").write("a page")
    except OSError:
        start("500 Internal Server Error", [])
        return [b"laravel.log could not be opened in append mode: Permission denied"]
    start("200 OK", [])
    return [b"welcome"]

server = wsgiref.simple_server.make_server("0.0.0.0", 8080, app)
os.setgroups([])
os.setgid(33)
os.setuid(33)
server.serve_forever()
"""
"""It answers as Laravel does, whose log lies in the folder that it may not write."""


def _pages(box: Box, name: str, port: int, owner: int) -> None:
    """Code of Laravel that a checkout of this user has made, mounted into the container."""
    folder = f"/srv/{name}"
    box.sh(f"mkdir -p {folder}/storage/logs && touch {folder}/artisan && chown -R {owner} {folder}")
    box.docker(
        "run", "-d", f"--name={name}", "--memory=64m", "--pids-limit=64", "-p", f"{port}:8080",
        "-v", f"{folder}:/app", *MACHINE, "bb:1.36", "/usr/bin/python3", "-uc", _PAGES,
    )  # fmt: skip
    answer = "200" if owner == 33 else "500"
    box.wait_for(lambda: status_outside(box, port, "/") == answer, what="an answer")
    for _ in range(4):
        assert status_outside(box, port, "/") == answer


@fault(CHECK, subject="container:blog64", shareable=True)
def folder_that_the_workers_may_not_write(box: Box) -> None:
    """The folder of the program's log belongs to who checked the code out: each page is 500."""
    _pages(box, "blog64", 8464, 1000)
    command = first_command(box, CHECK, "blog64")
    assert command == "docker exec --user 0 blog64 chown -R 33 /app/storage", command
    before = box.docker("exec", "--user", "0", "blog64", "stat", "-c", "%u", "/app/storage").stdout
    assert before.strip() == "1000"


@healthy(shareable=True)
def folder_of_the_workers(box: Box) -> None:
    """The same folder, of the worker's user."""
    _pages(box, "blog65", 8465, 33)
