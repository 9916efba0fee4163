"""Images made on the spot from static busybox: a healthy one, and those that break a container's
start.

No registry is needed: a tar goes to the engine's import call. RECIPES maps a name to its recipe.
Debian's static busybox crashes on `wget -T` (seen with 1.35): put `timeout` before it.
"""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tarfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from .box import Box

PASSWD = b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\n"
GROUP = b"root:x:0:\napp:x:1000:\n"


@dataclass(frozen=True)
class Recipe:
    """An image: extra files (path -> content and mode) over busybox, and Dockerfile instructions
    (CMD, USER, ...)."""

    files: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    platform: str = ""
    busybox: bool = True


def _foreign_elf() -> bytes:
    """A well-formed 64-bit ELF header for a machine that this one is not: s390x."""
    ident = b"\x7fELF" + bytes([2, 2, 1, 0]) + bytes(8)
    return (
        ident
        + struct.pack(">HHIQQQIHHHHHH", 2, 22, 1, 0x1000, 64, 0, 0, 64, 56, 1, 64, 0, 0)
        + bytes(4096)
    )


_ALLOCATE = b"""#!/bin/sh
echo building the report
held=x
while :; do held="$held$held"; done
"""

_LABELS = " ".join(
    (
        "org.opencontainers.image.title=shop",
        "org.opencontainers.image.version=1.4",
        "org.opencontainers.image.revision=5f2b1c9",
        "org.opencontainers.image.source=https://git.lab.test/shop",
        "org.opencontainers.image.licenses=MIT",
        "maintainer=team@lab.test",
    )
)

RECIPES: dict[str, Recipe] = {
    "bb": Recipe(),
    "bb:1.36": Recipe(),
    "shop:1.4": Recipe(
        changes=("USER 1000:1000", f"LABEL {_LABELS}", 'CMD ["httpd","-f","-p","8080","-h","/www"]')
    ),
    "foreign:1": Recipe({"app": (_foreign_elf(), 0o755)}, ('ENTRYPOINT ["/app"]',)),
    "noshebang:1": Recipe(
        {"app": (b"echo started\nsleep 1000\n", 0o755)}, ('ENTRYPOINT ["/app"]',)
    ),
    "marked:1": Recipe(
        {"app": (b"\xef\xbb\xbf#!/bin/sh\necho started\nexec sleep 1000\n", 0o755)},
        ('ENTRYPOINT ["/app"]',),
    ),
    "crlf:1": Recipe({"app": (b"#!/bin/sh\r\necho started\r\n", 0o755)}, ('ENTRYPOINT ["/app"]',)),
    "nointerp:1": Recipe(
        {"app": (b"#!/usr/bin/python3\nprint(1)\n", 0o755)}, ('ENTRYPOINT ["/app"]',)
    ),
    "viaenv:1": Recipe(
        {"app": (b"#!/bin/env python3\nprint(1)\n", 0o755)}, ('ENTRYPOINT ["/app"]',)
    ),
    "closed:1": Recipe({"app": (b"#!/closed/sh\nsleep 1000\n", 0o755)}, ('ENTRYPOINT ["/app"]',)),
    "noexecbit:1": Recipe({"app": (b"#!/bin/sh\nsleep 1000\n", 0o644)}, ('ENTRYPOINT ["/app"]',)),
    "noentry:1": Recipe({}, ('ENTRYPOINT ["/usr/local/bin/app"]',)),
    "hungry:1": Recipe({"app": (_ALLOCATE, 0o755)}, ('ENTRYPOINT ["/app"]',)),
    "arm:1": Recipe({}, ('CMD ["sleep","1000"]',), platform="linux/arm64"),
}
"""Names by which `box.docker("run", ...)` imports an image the first time it is used."""


@cache
def _busybox() -> bytes:
    path = shutil.which("busybox", path="/bin:/usr/bin")
    if path is None:
        raise LookupError("no busybox is installed (package busybox-static)")
    kind = subprocess.run(["ldd", path], capture_output=True, text=True)
    if kind.returncode == 0 and "statically" not in kind.stdout:
        raise LookupError(f"{path} is not static (package busybox-static)")
    return Path(path).read_bytes()


@cache
def _applets() -> tuple[str, ...]:
    listed = subprocess.run(
        ["busybox", "--list"], capture_output=True, text=True, check=True
    ).stdout.split()
    return tuple(sorted(set(listed) - {"busybox"}))


def archive(recipe: Recipe) -> bytes:
    """The image's file system as a tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in ("bin", "etc", "tmp", "www", "root", "data", "usr", "usr/bin"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(info)
        files = {
            "etc/passwd": (PASSWD, 0o644),
            "etc/group": (GROUP, 0o644),
            "www/index.html": (b"hello\n", 0o644),
        }
        if recipe.busybox:
            files["bin/busybox"] = (_busybox(), 0o755)
            for applet in _applets():
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        for name, (content, mode) in {**files, **recipe.files}.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), mode
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def load(box: Box, name: str, recipe: Recipe | None = None) -> None:
    """Import an image by its recipe; a name without a tag becomes :latest. LookupError for an
    unknown name."""
    recipe = recipe or RECIPES[name]
    repo, _, tag = name.rpartition(":") if ":" in name else (name, "", "latest")
    changes = ["ENV PATH=/bin:/usr/bin", *recipe.changes]
    query = f"fromSrc=-&repo={quote(repo)}&tag={quote(tag)}" + "".join(
        f"&changes={quote(c)}" for c in changes
    )
    if recipe.platform:
        query += f"&platform={quote(recipe.platform)}"
    said = box.api(f"/images/create?{query}", method="POST", body=archive(recipe))
    assert "error" not in str(said), f"import of {name}: {said}"
