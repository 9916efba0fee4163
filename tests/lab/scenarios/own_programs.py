"""Programs that fail because of what their container gives them: a locale, memory that is shared,
folders, variables; and the same programs where they have it."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.known_rows import ROOMY
from tests.lab.scenarios.named_settings import AT_START, PYTHON, ended
from tests.lab.scenarios.programs.helpers import logs, run

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
    box.wait_for(lambda: "Gr\u00fc\u00dfe" in logs(box, "greeter23"), 20, "the greeting")


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
    box.wait_for(lambda: "title" in logs(box, "browser23"), 20, "the page")
