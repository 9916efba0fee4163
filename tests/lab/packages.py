"""Empty packages that the host's own dpkg installs and removes, so that its log is a real one."""

from __future__ import annotations

from .box import Box

_BUILD = """
set -e
cd /tmp
mkdir -p package/DEBIAN
printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\n' {name} {version} > package/DEBIAN/control
printf 'Maintainer: a <a@b>\\nDescription: nothing\\n' >> package/DEBIAN/control
dpkg-deb -b package {name}.deb
dpkg -i {name}.deb
"""


def install(box: Box, name: str, *versions: str) -> None:
    """Each version after the other, so that the second one is an upgrade."""
    for version in versions:
        box.sh(_BUILD.format(name=name, version=version))
