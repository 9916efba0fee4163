"""Programs that fail because of what their container gives them: a locale, memory that is shared,
folders, variables; and the same programs where they have it."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.deploys import labels
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.known_rows import ROOMY
from tests.lab.scenarios.named_settings import AT_START, PYTHON, ended
from tests.lab.scenarios.programs.helpers import GOOD, logs, run

OPTION = "container.option-missing"
_OLD_PYTHON = ["env", "PYTHONUTF8=0", "PYTHONCOERCECLOCALE=0", PYTHON, "-u", "-c"]
"""As Python was before 3.7, and as it is inside of another program."""
_GREETS = "import time; print('Gr\\u00fc\\u00dfe'); time.sleep(1000)"


@fault(OPTION, subject="container:greeter22", also=[AT_START], shareable=True)
def text_that_is_taken_for_ascii(box: Box) -> None:
    """No variable names a locale, and Python ends at the first letter that is not ASCII."""
    run(box, "greeter22", *ROOMY, "--memory=128m", "bb:1.36", *_OLD_PYTHON, _GREETS)
    assert "'ascii' codec can't encode" in ended(box, "greeter22")


@healthy(shareable=True)
def text_in_a_locale_with_utf_8(box: Box) -> None:
    """The same program, with a locale."""
    locale = "--env=LC_ALL=C.UTF-8"
    run(box, "greeter23", *ROOMY, "--memory=128m", locale, "bb:1.36", *_OLD_PYTHON, _GREETS)
    box.wait_for(lambda: "Gr\u00fc\u00dfe" in logs(box, "greeter23"), what="the greeting")


_BROWSER = """
import os, sys, time
page = os.open("/dev/shm/.org.chromium.Chromium.x", os.O_CREAT | os.O_RDWR)
os.unlink("/dev/shm/.org.chromium.Chromium.x")
try:
    for _ in range(80):
        os.write(page, bytes(1 << 20))
except OSError:
    sys.exit("WebDriverException: Message: unknown error: session deleted because of page crash")
print("title: shop", flush=True)
os.close(page)
time.sleep(1000)
"""
"""Fills what Chrome shares between its processes; the words are those of ChromeDriver."""


@fault(OPTION, subject="container:browser22", also=[AT_START], shareable=True)
def page_that_is_larger_than_the_shared_memory(box: Box) -> None:
    """The browser's page needs 80 MB of /dev/shm, which has 64."""
    run(box, "browser22", *ROOMY, "--memory=256m", "bb:1.36", PYTHON, "-c", _BROWSER)
    assert "page crash" in ended(box, "browser22")


@healthy(shareable=True)
def page_that_fits_the_shared_memory(box: Box) -> None:
    """The same page, with more of it."""
    size = "--shm-size=128m"
    run(box, "browser23", *ROOMY, "--memory=256m", size, "bb:1.36", PYTHON, "-c", _BROWSER)
    box.wait_for(lambda: "title" in logs(box, "browser23"), what="the page")


MALFORMED = "container.variable-malformed"
_WORKS = (
    """[ -n "$2" ] || { echo "flag needs an argument: --queue" >&2; exit 2; }; exec sleep 1000"""
)
_JOBS = """services:
  worker:
    image: bb:1.36
    command: [sh, -c, '[ -n "$$2" ] || { echo "flag needs an argument: --queue" >&2; exit 2; }; exec sleep 1000', work, --queue, "${QUEUE}"]
    environment:
      QUEUE: mail
"""


def _worker(box: Box, project: str, queue: str) -> None:
    """The worker of that file, as compose makes it with this value of the variable."""
    box.write(f"/srv/{project}/compose.yaml", _JOBS)
    own = [*GOOD, *labels(project, "worker"), "--env=QUEUE=mail"]
    run(box, f"{project}-worker-1", *own, "bb:1.36", "sh", "-c", _WORKS, "work", "--queue", queue)


@fault(MALFORMED, subject="container:letters22-worker-1", also=[AT_START], shareable=True)
def variable_of_a_command_that_only_the_container_has(box: Box) -> None:
    """Compose put nothing in the place of a variable that `environment` sets."""
    _worker(box, "letters22", "")
    assert "needs an argument" in ended(box, "letters22-worker-1")
    command = first_command(box, MALFORMED, "letters22-worker-1")
    assert command.startswith("printf '%s\\n' QUEUE=mail >>/srv/letters22/.env\n"), command


@healthy(shareable=True)
def variable_of_a_command_that_compose_knew(box: Box) -> None:
    """The same file, and compose had the variable in its own environment."""
    _worker(box, "letters23", "mail")
    box.wait_state("letters23-worker-1", "running")


_CONNECTS = """
import os, sys, time
from urllib.parse import urlsplit
if urlsplit(os.environ["CACHE_URL"]).scheme != "redis":
    sys.exit("ValueError: Redis URL must specify one of the following schemes (redis://, rediss://)")
time.sleep(1000)
"""


def _connects(box: Box, project: str, url: str) -> None:
    """A program that reads the address of its cache, by a list in a compose file."""
    text = f"services:\n  app:\n    environment:\n      - CACHE_URL={url}\n"
    box.write(f"/srv/{project}/compose.yaml", text)
    own = [*ROOMY, "--memory=128m", *labels(project, "app"), f"--env=CACHE_URL={url}"]
    run(box, f"{project}-app-1", *own, "bb:1.36", PYTHON, "-c", _CONNECTS)


@fault(MALFORMED, subject="container:cache22-app-1", also=[AT_START], shareable=True)
def address_with_the_quotes_of_its_list(box: Box) -> None:
    """The list form of `environment` keeps the quotes around a URL, and no line shows them."""
    _connects(box, "cache22", '"redis://cache:6379/0"')
    assert "must specify one of" in ended(box, "cache22-app-1")
    command = first_command(box, MALFORMED, "cache22-app-1")
    box.sh(command.splitlines()[0])
    assert "- CACHE_URL=redis://cache:6379/0\n" in box.read("/srv/cache22/compose.yaml")


@healthy(shareable=True)
def address_without_quotes(box: Box) -> None:
    """The same without them."""
    _connects(box, "cache23", "redis://cache:6379/0")
    box.wait_state("cache23-app-1", "running")


HELD = "container.output-held-back"
_PRINTS = "import time\nprint('too early to check in')\ntime.sleep(1000)\n"


def _prints(box: Box, name: str, *options: str) -> None:
    """A script of Python that prints one line and waits, a minute after its start."""
    box.write(f"/srv/{name}/checkin.py", _PRINTS)
    mount = ["-v", f"/srv/{name}:/app", "--workdir=/app", "--memory=128m"]
    run(box, name, *ROOMY, *mount, *options, "bb:1.36", PYTHON, "checkin.py")
    box.wait_state(name, "running")
    box.sh("sleep 61", timeout=80)


@fault(HELD, subject="container:checkin22")
def output_that_python_holds_back(box: Box) -> None:
    """The script prints, and no line reaches the log."""
    _prints(box, "checkin22")
    assert not logs(box, "checkin22")


@healthy()
def output_that_python_writes_at_once(box: Box) -> None:
    """The same script with PYTHONUNBUFFERED."""
    _prints(box, "checkin23", "--env=PYTHONUNBUFFERED=1")
    assert "too early" in logs(box, "checkin23")
