"""Programs whose files lie elsewhere than they look, or are of another release than they are; each
with a look-alike that works."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import GROUP, Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.named_settings import AT_START, ended
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, logs, run

HOME = "container.home-differs"
_BROWSER = "root/.cache/browsers/chrome-1148/chrome"
_USERS = b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n"
_RENDERS = """#!/bin/sh
echo rendering
while :; do
    test -x "$HOME/.cache/browsers/chrome-1148/chrome" ||
        echo "Error: Executable doesn't exist at $HOME/.cache/browsers/chrome-1148/chrome"
    sleep 1
done
"""


def _renderer(box: Box, name: str, *options: str) -> None:
    """A program whose browser was installed by root, when its image was built."""
    files = {
        _BROWSER: (b"#!/bin/sh\n", 0o755),
        "etc/passwd": (_USERS, 0o644),
        "etc/group": (GROUP, 0o644),
        "renderer": (_RENDERS.encode(), 0o755),
    }
    load(box, "renderer:3", Recipe(files, ('CMD ["/renderer"]',)))
    run(box, name, *GOOD, *options, "renderer:3")
    box.wait_for(lambda: "rendering" in logs(box, name), what="its first line")


@fault(HOME, subject="container:renderer30", shareable=True)
def browser_in_the_home_of_root(box: Box) -> None:
    """A user has another home directory than root, who installed the browser in his own."""
    _renderer(box, "renderer30")
    box.wait_for(lambda: logs(box, "renderer30").count("doesn't exist") > 3, what="the errors")
    command = first_command(box, HOME, "renderer30")
    assert command == "diagnose recreate renderer30 -- --env=HOME=/root | sh"


@healthy(shareable=True)
def browser_in_the_home_of_its_user(box: Box) -> None:
    """The same image, with the home directory that it was built for."""
    _renderer(box, "renderer31", "--env=HOME=/root")


_ENGINE = b"""#!/bin/sh
test -e /usr/lib/libssl.so.1.1 && exec sleep 1000
echo "Error loading shared library libssl.so.1.1: No such file or directory (needed by /engine)" >&2
exit 1
"""


def _linked(box: Box, name: str, library: str) -> None:
    """A program that is linked with the library of an older release than its image has."""
    release = b'ID=alpine\nPRETTY_NAME="Alpine Linux v3.17"\n'
    files = {
        "engine": (_ENGINE, 0o755),
        f"usr/lib/{library}": (b"", 0o755),
        "etc/os-release": (release, 0o644),
    }
    load(box, f"{name}:1", Recipe(files, ('CMD ["/engine"]',)))
    run(box, name, *GOOD, f"{name}:1")


@fault(AT_START, subject="container:linked30", shareable=True)
def library_of_an_older_release(box: Box) -> None:
    """The image has the next version of a library that a program is linked with."""
    _linked(box, "linked30", "libssl.so.3")
    assert "libssl.so.1.1" in ended(box, "linked30")
    said = box.diagnose("all").out
    assert "has no libssl.so.1.1" in " ".join(said.split()), said


@healthy(shareable=True)
def library_of_the_same_release(box: Box) -> None:
    """The same program, in an image with its library."""
    _linked(box, "linked31", "libssl.so.1.1")
    box.wait_state("linked31", "running")


_SITE = "opt/venv/lib/python3.11/site-packages"
_IMPORTS = (
    b"#!/usr/bin/python3\nimport pyprind, time\nprint('ready', flush=True)\ntime.sleep(1000)\n"
)


def _imports(box: Box, name: str, *options: str) -> None:
    """A script that names the system's Python, and a module in a virtual environment."""
    files = {f"{_SITE}/pyprind/__init__.py": (b"", 0o644), "app/run": (_IMPORTS, 0o755)}
    load(box, f"{name}:1", Recipe(files, ('CMD ["/app/run"]',)))
    run(box, name, *GOOD, *MACHINE, *options, f"{name}:1")


@fault(AT_START, subject="container:imports30", shareable=True)
def module_of_another_python(box: Box) -> None:
    """A module was installed in a virtual environment, and the script names another Python."""
    _imports(box, "imports30")
    assert "No module named 'pyprind'" in ended(box, "imports30")
    command = first_command(box, AT_START, "imports30")
    assert command == f"diagnose recreate imports30 -- --env=PYTHONPATH=/{_SITE} | sh"


@healthy(shareable=True)
def module_of_the_same_python(box: Box) -> None:
    """The same image, with the variable that this command gives it."""
    _imports(box, "imports31", f"--env=PYTHONPATH=/{_SITE}")
    box.wait_for(lambda: "ready" in logs(box, "imports31"), what="the import")


_SWITCHES = """
grep -q ^memcache: /etc/passwd && grep -q ^memcache: /etc/group && exec sleep 1000
echo "can't find the user memcache to switch to" >&2
exit 67
"""


@fault(AT_START, subject="container:switch30", shareable=True)
def user_that_the_image_lacks(box: Box) -> None:
    """A program drops its rights to a user that its image does not have."""
    run(box, "switch30", *GOOD, "bb:1.36", "sh", "-c", _SWITCHES)
    assert "memcache" in ended(box, "switch30")
    box.sh(first_command(box, AT_START, "switch30"))
    box.wait_state("switch30", "running")
    box.sh("docker stop --time=1 switch30")
    box.sh("docker rm switch30")
    run(box, "switch30", *GOOD, "bb:1.36", "sh", "-c", _SWITCHES)
    ended(box, "switch30")


_READS = """
test -n "$(tail -c 1 /etc/proxy.cfg)" || { echo proxy is ready; exec sleep 1000; }
echo '[ALERT] config : parsing [/etc/proxy.cfg:2]: Missing LF on last line' >&2
exit 1
"""


def _proxy(box: Box, name: str, text: str) -> None:
    box.write(f"/srv/{name}/proxy.cfg", text)
    mount = f"--volume=/srv/{name}/proxy.cfg:/etc/proxy.cfg:ro"
    run(box, name, *GOOD, mount, "bb:1.36", "sh", "-c", _READS)


@fault(AT_START, subject="container:proxy30", shareable=True)
def last_line_without_its_end(box: Box) -> None:
    """The last line of a mounted file of settings has no newline, and the program wants one."""
    _proxy(box, "proxy30", "global\n    maxconn 100")
    assert "Missing LF" in ended(box, "proxy30")
    command = first_command(box, AT_START, "proxy30")
    box.sh(command.splitlines()[0])
    assert box.read("/srv/proxy30/proxy.cfg").endswith("maxconn 100\n")


@healthy(shareable=True)
def last_line_with_its_end(box: Box) -> None:
    """The same file, as the program wants it."""
    _proxy(box, "proxy31", "global\n    maxconn 100\n")
    box.wait_for(lambda: "ready" in logs(box, "proxy31"), what="the proxy")


_FIRST_START = """#!/bin/sh
test -e /var/lib/postgresql/data/PG_VERSION || {
    touch /var/lib/postgresql/data/PG_VERSION
    echo "/entrypoint.sh: sourcing /docker-entrypoint-initdb.d/10-extension.sh"
    . /docker-entrypoint-initdb.d/10-extension.sh
    echo "PostgreSQL init process complete; ready for start up."
}
echo "database system is ready to accept connections"
exec sleep 1000
"""
_EXTENSION = """psql() { test "$2" = "${POSTGRES_USER:-postgres}" || {
    echo "psql: error: FATAL:  role \\"$2\\" does not exist" >&2; exit 2; }; }
psql -U postgres -c "CREATE EXTENSION timescaledb"
"""


def _database(box: Box, name: str, *options: str) -> None:
    """A database whose image has a script for its first start, which logs in as postgres."""
    files = {
        "entrypoint.sh": (_FIRST_START.encode(), 0o755),
        "docker-entrypoint-initdb.d/10-extension.sh": (_EXTENSION.encode(), 0o644),
        "var/lib/postgresql/data/.keep": (b"", 0o644),
    }
    load(box, "series:2", Recipe(files, ('ENTRYPOINT ["/entrypoint.sh"]',)))
    volume = f"--volume={name}:/var/lib/postgresql/data"
    root = [option for option in GOOD if not option.startswith("--user")]
    run(box, name, *root, volume, *options, "series:2")


@fault(AT_START, subject="container:series30", shareable=True)
def script_of_the_first_start_for_another_user(box: Box) -> None:
    """A script of the image logs in as a user whom the server was not set up for."""
    _database(box, "series30", "--env=POSTGRES_USER=shop")
    assert 'role "postgres" does not exist' in ended(box, "series30")
    command = first_command(box, AT_START, "series30")
    volume = "--volume=series30-new:/var/lib/postgresql/data --env=POSTGRES_USER=postgres"
    unmounted = "diagnose recreate series30 --unmount /var/lib/postgresql/data"
    assert command == f"{unmounted} -- {volume} | sh"


@healthy(shareable=True)
def script_of_the_first_start_for_its_user(box: Box) -> None:
    """The same image, set up for the user of its script."""
    _database(box, "series31", "--env=POSTGRES_USER=postgres")
    box.wait_for(lambda: "ready to accept" in logs(box, "series31"), what="the database")


INTERPRETER = "container.interpreter-missing"
_SCRIPT = "#!{}\necho ready\nexec sleep 1000\n"


def _scripted(box: Box, name: str, first: str) -> None:
    """An image whose program is a script with this interpreter."""
    files = {"run.sh": (_SCRIPT.format(first).encode(), 0o755)}
    load(box, f"{name}:1", Recipe(files, ('ENTRYPOINT ["/run.sh"]',)))
    run(box, name, *GOOD, f"{name}:1", "--daily")


@fault(INTERPRETER, subject="container:scripted30", also=[AT_START], shareable=True)
def script_whose_init_is_not_in_the_image(box: Box) -> None:
    """A script names an init before its shell, and only the shell is in the image."""
    _scripted(box, "scripted30", "/usr/bin/dumb-init /bin/sh")
    assert "no such file" in ended(box, "scripted30")
    command = first_command(box, INTERPRETER, "scripted30")
    words = "diagnose recreate scripted30 --command '/run.sh --daily'"
    assert command == f"{words} -- --init --entrypoint=/bin/sh | sh"


@fault(INTERPRETER, subject="container:scripted31", also=[AT_START], shareable=True)
def script_whose_shell_is_another_one(box: Box) -> None:
    """A script names bash, and the image has sh alone."""
    _scripted(box, "scripted31", "/bin/bash")
    assert "no such file" in ended(box, "scripted31")
    command = first_command(box, INTERPRETER, "scripted31")
    words = "diagnose recreate scripted31 --command '/run.sh --daily'"
    assert command == f"{words} -- --entrypoint=/bin/sh | sh"


@healthy(shareable=True)
def script_with_its_shell(box: Box) -> None:
    """The same script, with a shell that the image has."""
    _scripted(box, "scripted32", "/bin/sh")
    box.wait_for(lambda: "ready" in logs(box, "scripted32"), what="the script")


MISSING = "container.variable-missing"
_ASKS = """
test -n "$COUCHDB_USER" -a -n "$COUCHDB_PASSWORD" && exec sleep 1000
echo 'ERROR: CouchDB 3.0+ will no longer run in "Admin Party"
       mode. You *MUST* specify an admin user and password, with
       "-e COUCHDB_USER=admin -e COUCHDB_PASSWORD=password"' >&2
exit 1
"""


@fault(MISSING, subject="container:couch30", also=[AT_START], shareable=True)
def two_variables_that_are_missing(box: Box) -> None:
    """A database asks for a user and a password, and has neither."""
    run(box, "couch30", *GOOD, "bb:1.36", "sh", "-c", _ASKS)
    assert "Admin Party" in ended(box, "couch30")
    assert "COUCHDB_USER COUCHDB_PASSWORD" in first_command(box, MISSING, "couch30")


_SIGNS = """
test -n "$SECRET_KEY_BASE" && exec sleep 1000
echo '** (RuntimeError) environment variable SECRET_KEY_BASE is missing.
You can generate one by calling: mix phx.gen.secret' >&2
exit 1
"""


@fault(MISSING, subject="container:phoenix30", also=[AT_START], shareable=True)
def secret_of_its_own_that_is_missing(box: Box) -> None:
    """A program asks for a secret, and says that any new one will do."""
    run(box, "phoenix30", *GOOD, "bb:1.36", "sh", "-c", _SIGNS)
    assert "SECRET_KEY_BASE" in ended(box, "phoenix30")
    assert "/dev/urandom" in first_command(box, MISSING, "phoenix30")


_GAME = """
test "$EULA" = TRUE && exec sleep 1000
echo 'Please accept the Minecraft EULA at'
echo '  by adding the following immediately after docker run: -e EULA=TRUE'
exit 2
"""


@fault(MISSING, subject="container:craft30", also=[AT_START], shareable=True)
def licence_that_nobody_has_accepted(box: Box) -> None:
    """The value by which the licence is accepted is known, and the command has it."""
    run(box, "craft30", *GOOD, "bb:1.36", "sh", "-c", _GAME)
    assert "EULA" in ended(box, "craft30")
    assert "EULA=TRUE" in first_command(box, MISSING, "craft30")


LOOP = "container.restart-loop"
_WORKS = b"#!/bin/sh\necho ready\nexec sleep 1000\n"
_CRASHES = b"#!/bin/sh\necho starting\nkill -SEGV $$\n"


def _updated(box: Box, name: str, program: bytes) -> None:
    """A container that is replaced by one of the next version of its image."""
    for tag, content in (("4.0", _WORKS), ("4.1", program)):
        load(box, f"{name}:{tag}", Recipe({"app": (content, 0o755)}, ('CMD ["/app"]',)))
    run(box, name, *GOOD, f"{name}:4.0")
    box.wait_for(lambda: "ready" in logs(box, name), what="the version before")
    box.docker("stop", "--time=1", name)
    box.docker("rm", name)
    run(box, name, *GOOD, "--restart=always", f"{name}:4.1")


@fault(LOOP, subject="container:updated30", shareable=True)
def crash_since_an_update(box: Box) -> None:
    """The new version of an image crashes at its start without a word; the one before ran."""
    _updated(box, "updated30", _CRASHES)
    box.wait_for(lambda: box.inspect("updated30")["RestartCount"] > 2, what="a loop")
    command = first_command(box, LOOP, "updated30")
    assert command == "diagnose recreate updated30 --image updated30:4.0 | sh"


@healthy(shareable=True)
def update_that_works(box: Box) -> None:
    """The same update, to a version that works."""
    _updated(box, "updated31", _WORKS)
    box.wait_for(lambda: "ready" in logs(box, "updated31"), what="the new version")
