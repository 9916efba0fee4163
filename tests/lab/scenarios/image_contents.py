"""Programs that miss what their image was built without, demand what their container may not give,
or find what a former run of theirs has left; each with a twin that works."""

from __future__ import annotations

import os
import struct

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.known_rows import NODE, ROOMY
from tests.lab.scenarios.named_settings import AT_START, PYTHON, ended
from tests.lab.scenarios.programs.helpers import logs, run

_FORBIDDEN = "container.entrypoint-forbidden"
_IPC_LOCK = struct.pack("<IIIII", 0x02000001, 1 << 14, 0, 0, 0)
"""What `setcap cap_ipc_lock=+ep` writes: struct vfs_cap_data of revision 2, in effect."""
_STARTS = "echo starting; exec /tools/busybox"


def _program_that_locks_memory(box: Box, name: str, *options: str) -> None:
    program = f"/srv/{name}/busybox"
    box.sh(f"mkdir -p /srv/{name} && cp /bin/busybox {program}")
    os.setxattr(box.path(program), "security.capability", _IPC_LOCK)
    limits = ["--memory=64m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL"]
    mount = f"--volume=/srv/{name}:/tools"
    run(box, name, *limits, *options, mount, "bb:1.36", "sh", "-c", f"{_STARTS} sleep 1000")


@fault(_FORBIDDEN, subject="container:keeper21", also=[AT_START], shareable=True)
def capability_that_a_file_demands(box: Box) -> None:
    """A start script calls a program whose file demands IPC_LOCK, which its container lacks."""
    _program_that_locks_memory(box, "keeper21")
    assert "not permitted" in ended(box, "keeper21")
    command = "diagnose recreate keeper21 -- --cap-add=IPC_LOCK | sh"
    assert first_command(box, _FORBIDDEN, "keeper21") == command


@healthy(shareable=True)
def capability_that_a_file_gets(box: Box) -> None:
    """The same, and the container has the capability."""
    _program_that_locks_memory(box, "keeper22", "--cap-add=IPC_LOCK")
    box.wait_for(lambda: "starting" in logs(box, "keeper22"), what="the start")


_LISTENS = "require('net').createServer().listen('/tmp/app.sock', () => console.log('ready'))"


def _killed_once(box: Box, name: str, before: str) -> None:
    run(box, name, *ROOMY, "--memory=256m", "bb:1.36", NODE, "-e", f"{before}{_LISTENS}")
    box.wait_for(lambda: "ready" in logs(box, name), what="the socket")
    box.docker("kill", name)
    box.docker("start", name)


@fault("container.pid-file-stale", subject="container:socket21", also=[AT_START], shareable=True)
def socket_of_a_former_run(box: Box) -> None:
    """A server was killed, and its next run finds the Unix socket in the container's writable
    layer."""
    _killed_once(box, "socket21", "")
    assert "EADDRINUSE" in ended(box, "socket21")
    assert first_command(box, "container.pid-file-stale", "socket21") == (
        "diagnose recreate socket21 | sh"
    )


@healthy(shareable=True)
def socket_that_is_removed_first(box: Box) -> None:
    """The same, and the server removes its socket before it listens."""
    _killed_once(box, "socket22", "require('fs').rmSync('/tmp/app.sock', {force: true}); ")
    box.wait_for(lambda: logs(box, "socket22").count("ready") == 2, what="the second start")


@fault(AT_START, subject="container:template21", shareable=True)
def program_that_only_later_builds_get(box: Box) -> None:
    """The Dockerfile copies the program by ONBUILD, so that its own image does not have it."""
    later = ("ONBUILD COPY . /shop", "ONBUILD RUN npm install")
    changes = ("WORKDIR /shop", f'CMD ["{NODE}","/shop/index.js"]', *later)
    load(box, "template:21", Recipe({"shop/README": (b"a template\n", 0o644)}, changes))
    run(box, "template21", *ROOMY, "--memory=256m", "template:21")
    assert "Cannot find module '/shop/index.js'" in ended(box, "template21")
    findings = box.diagnose("all", "--format", "json").findings
    own = [finding for finding in findings if finding["subject"]["name"] == "template21"]
    assert "ONBUILD instructions" in str(own)


_MANIFEST = b"""{
  "scripts": {"dev": "cross-env MODE=dev node main.js", "start": "node main.js"},
  "devDependencies": {"cross-env": "^7.0.3"}
}
"""


@fault(AT_START, subject="container:preview21", shareable=True)
def command_of_a_development_package(box: Box) -> None:
    """The container was given the command for development, and its image is for production."""
    files = {"shop/package.json": (_MANIFEST, 0o644)}
    changes = ("WORKDIR /shop", "USER 1000:1000", 'CMD ["sleep","1000"]')
    load(box, "preview:21", Recipe(files, changes))
    limits = ["--memory=64m", "--pids-limit=64", "--cap-drop=ALL"]
    run(box, "preview21", *limits, "preview:21", "sh", "-c", "cross-env MODE=dev node main.js")
    assert "cross-env: not found" in ended(box, "preview21")
    command = "diagnose recreate preview21 --command 'sleep 1000' | sh"
    assert first_command(box, AT_START, "preview21") == command


_TEMPORARY = "import tempfile, time; print(tempfile.gettempdir(), flush=True); time.sleep(1000)"


def _makes_a_temporary_file(box: Box, name: str, *options: str) -> None:
    run(
        box, name, *ROOMY, "--memory=64m", "--read-only", *options, "bb:1.36", PYTHON, "-c",
        _TEMPORARY,
    )  # fmt: skip


@fault("container.option-missing", subject="container:scratch21", also=[AT_START], shareable=True)
def temporary_file_on_a_read_only_root(box: Box) -> None:
    """A program of Python makes a temporary file, and its whole root is read-only."""
    _makes_a_temporary_file(box, "scratch21")
    assert "No usable temporary directory" in ended(box, "scratch21")
    command = "diagnose recreate scratch21 -- --tmpfs=/tmp | sh"
    assert first_command(box, "container.option-missing", "scratch21") == command


@healthy(shareable=True)
def temporary_file_in_a_tmpfs(box: Box) -> None:
    """The same, with a tmpfs at /tmp."""
    _makes_a_temporary_file(box, "scratch22", "--tmpfs=/tmp")
    box.wait_for(lambda: "/tmp" in logs(box, "scratch22"), what="the temporary folder")


_HUB = """
echo "Unhandled exception. System.InvalidOperationException: Unable to configure HTTPS endpoint. \
No server certificate was specified, and the default developer certificate could not be found."
exit 134
"""
_SETTINGS = b'{"Kestrel": {"Endpoints": {"Https": {"Url": "https://localhost:52001"}}}}'


@fault(AT_START, subject="container:hub21", shareable=True)
def https_in_the_settings_of_the_image(box: Box) -> None:
    """A .NET program brings settings with HTTPS along, which no variable of its container shows."""
    load(box, "hub:21", Recipe({"app/appsettings.json": (_SETTINGS, 0o644)}, ("WORKDIR /app",)))
    limits = ["--memory=64m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL"]
    options = [*limits, "--env=ASPNETCORE_URLS=http://+:8080"]
    run(box, "hub21", *options, "hub:21", "sh", "-c", _HUB)
    assert "HTTPS endpoint" in ended(box, "hub21")
    changed = "--env=Kestrel__Endpoints__Https__Url=http://+:52001"
    assert first_command(box, AT_START, "hub21") == f"diagnose recreate hub21 -- {changed} | sh"


def _portal(box: Box, name: str, folder: str) -> None:
    recipe = Recipe(
        files={
            "opt/portal/WEB-INF/lib/portal.jar": (b"PK", 0o644),
            "opt/portal/docs": (b"a", 0o644),
        },
        changes=("LABEL org.opencontainers.image.version=5.3", 'CMD ["sleep","1000"]'),
    )
    load(box, "team/portal:5.3", recipe)
    limits = ("--memory=64m", "--pids-limit=64", "--init", "--read-only", "--user=1000")
    mount = f"/srv/{name}:{folder}"
    box.docker("run", "-d", f"--name={name}", *limits, "-v", mount, "team/portal:5.3")


_HIDDEN = "container.program-files-hidden"


@fault(_HIDDEN, subject="container:portal53", shareable=True, exit_code=0)
def empty_folder_over_a_program(box: Box) -> None:
    """A wrong path is mounted over a part of the program: the engine has made an empty folder. The
    first command copies the files."""
    _portal(box, "portal53", "/opt/portal/WEB-INF")
    box.sh(f"{first_command(box, _HIDDEN, 'portal53')} 2>&1", timeout=60)
    assert box.read("/srv/portal53/lib/portal.jar") == "PK"
    assert not box.diagnose("check", _HIDDEN, "--format", "json").findings
    box.sh("rm -r /srv/portal53/lib")


@healthy(shareable=True)
def folder_over_a_program_that_has_files(box: Box) -> None:
    """The same mount with the project's own files, and an empty folder where the image has none."""
    box.write("/srv/portal54/lib/own.jar", "PK")
    _portal(box, "portal54", "/opt/portal/WEB-INF")
    _portal(box, "portal55", "/data")
