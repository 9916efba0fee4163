"""Programs whose new release looks for its data in another folder than its mount."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command, typed

CHECK = "container.data-in-own-layer"
_PROGRAM = b"""#!/bin/sh
# makes its files in the folder of this release, unless they are there
mkdir -p "$AT/zones"
if [ -f "$AT/dns.config" ]; then
    echo "config file was loaded: $AT/dns.config"
else
    echo "restoring default config file"
    head -c 400 /dev/urandom >"$AT/dns.config"
    head -c 300 /dev/urandom >"$AT/auth.config"
fi
exec sleep 1000
"""
_OPTIONS = ("--init", "--memory=64m", "--pids-limit=64", "--restart=unless-stopped")


def _release(box: Box, number: str, folder: str) -> str:
    """The image of a release that has its data in this folder."""
    image = f"dns:{number}"
    changes = ('ENTRYPOINT ["/program"]', f"ENV AT={folder}")
    load(box, image, Recipe({"program": (_PROGRAM, 0o755)}, changes))
    return image


def _start(box: Box, name: str, image: str, mount: str) -> None:
    box.docker("run", "-d", f"--name={name}", *_OPTIONS, f"--volume={mount}", image)
    box.wait_for(lambda: "config file" in box.docker("logs", name).stdout, what="its start")


def _use_for_days(box: Box, name: str, folder: str) -> None:
    """Settings that people made in it days ago; then the container is removed for an upgrade."""
    box.docker("exec", name, "sh", "-c", f"head -c 900 /dev/urandom >>{folder}/dns.config")
    box.docker("exec", name, "sh", "-c", f"touch -d '2026-01-01 10:00' {folder}/*")
    box.docker("rm", "--force", name)


@fault(CHECK, subject="container:dns66")
def release_with_another_folder(box: Box) -> None:
    """A new release has its files in the folder above the volume. The first command of the report
    brings the settings back."""
    former, newer = "/etc/dns/config", "/etc/dns"
    _start(box, "dns66", _release(box, "11.0", former), f"dns66:{former}")
    _use_for_days(box, "dns66", former)
    _start(box, "dns66", _release(box, "11.1", newer), f"dns66:{former}")
    typed(box, first_command(box, CHECK, "dns66"))
    box.wait_for(lambda: "was loaded" in box.docker("logs", "dns66").stdout, what="the settings")
    box.docker("rm", "--force", "dns66")
    _start(box, "dns66", "dns:11.1", f"dns66:{former}")


@healthy()
def release_with_the_same_folder(box: Box) -> None:
    """The new release reads its volume; another program copies its files at each start."""
    folder = "/etc/dns/config"
    _start(box, "dns67", _release(box, "11.0", folder), f"dns67:{folder}")
    _use_for_days(box, "dns67", folder)
    _start(box, "dns67", _release(box, "11.1", folder), f"dns67:{folder}")
    box.sh(
        "mkdir -p /srv/conf68 && cd /srv/conf68 && echo a >a.conf && echo b >b.conf && touch -d '3 days ago' *"
    )
    copies = "mkdir -p /etc/app/live && cp /etc/app/conf/* /etc/app/live/ && exec sleep 1000"
    box.docker(
        "run", "-d", "--name=app68", *_OPTIONS, "--volume=/srv/conf68:/etc/app/conf", "bb:1.36",
        "sh", "-c", copies,
    )  # fmt: skip
    box.wait_for(
        lambda: "b.conf" in box.docker("exec", "app68", "ls", "/etc/app/live", check=False).stdout,
        what="the copies",
    )
