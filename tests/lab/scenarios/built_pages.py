"""Pages that a tool has built with an address, and a container that names another one."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.programs.helpers import GOOD, run

CHECK = "container.value-without-effect"
_SERVES = ("EXPOSE 8080", 'CMD ["httpd","-f","-p","8080","-h","/app/dist"]', "WORKDIR /app")


def _pages(box: Box, number: int, code: str, *, start: str = "") -> None:
    """A page of the image, in a container with the address of its site."""
    files = {
        "app/dist/index.html": (b"<script src=assets/index.js></script>", 0o644),
        "app/dist/assets/index.js": (code.encode(), 0o644),
    }
    changes: tuple[str, ...] = _SERVES
    if start:
        files["start.sh"] = (start.encode(), 0o755)
        changes = (*_SERVES, 'ENTRYPOINT ["/start.sh"]')
    load(box, f"pages:{number}", Recipe(files=files, changes=changes))
    address = f"--env=VITE_API_URL=https://api{number}.lab.test/v1"
    user = "--user=0" if start else "--user=1000"
    run(box, f"pages{number}", *GOOD, user, address, f"pages:{number}")
    box.wait_state(f"pages{number}", "running")


def _found(box: Box, name: str) -> list[str]:
    report = box.diagnose("check", CHECK, "--format", "json")
    return [finding["id"] for finding in report.findings if finding["subject"]["name"] == name]


@fault(CHECK, subject="container:pages91", shareable=True)
def address_of_the_build(box: Box) -> None:
    """The script has localhost, and the container's variable another address."""
    _pages(box, 91, 'const api="http://localhost:8080/v1";fetch(api)')


@healthy(shareable=True)
def address_in_the_pages(box: Box) -> None:
    """The script has the address that the container has, as its image was built with it."""
    _pages(box, 92, 'const api="https://api92.lab.test/v1",help="http://localhost:8080"')
    assert not _found(box, "pages92")


@healthy(shareable=True)
def address_that_a_start_script_writes(box: Box) -> None:
    """The start script writes the variable into the script of the page."""
    start = (
        "#!/bin/sh\n"
        "sed -i s,http://localhost:8080/v1,$VITE_API_URL, /app/dist/assets/index.js\n"
        'exec "$@"\n'
    )
    _pages(box, 93, 'const api="http://localhost:8080/v1"', start=start)
    box.wait_for(
        lambda: "api93" in box.sh("docker exec pages93 cat /app/dist/assets/index.js"),
        what="the script with the address",
    )
    assert not _found(box, "pages93")


@healthy(shareable=True)
def code_of_a_server_with_the_variables_of_all(box: Box) -> None:
    """A server has the variables of its project's one file, and localhost in its own code."""
    code = b"const origins=['http://localhost:3000'];console.log('http://localhost:8080')"
    load(box, "pages:94", Recipe(files={"app/dist/main.js": (code, 0o644)}, changes=_SERVES))
    address = "--env=VITE_API_URL=https://api94.lab.test/v1"
    run(box, "pages94", *GOOD, "--user=1000", address, "pages:94")
    box.wait_state("pages94", "running")
    assert not _found(box, "pages94")
