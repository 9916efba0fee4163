"""Containers that keep their data beside the mount that was meant for it; and look-alikes."""

from __future__ import annotations

import json

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import logs, run

_OWN = "container.data-in-own-layer"
_SEARCH = """#!/bin/sh
# a program that keeps its data in the folder that it is told
mkdir -p "$KEEPS/indexes"
[ -e "$KEEPS/indexes/data.mdb" ] || head -c 300000 /dev/urandom >"$KEEPS/indexes/data.mdb"
echo "Database path: $KEEPS"
exec sleep 1000
"""


def _search(box: Box, name: str, keeps: str, *options: str) -> None:
    files = {"search": (_SEARCH.encode(), 0o755)}
    load(box, "search:0.27", Recipe(files, ('ENTRYPOINT ["/search"]',)))
    run(box, name, *SAFE, f"--env=KEEPS={keeps}", *options, "search:0.27")
    box.wait_for(lambda: "Database path" in logs(box, name), what="the data to be written")


def _store(box: Box, volume: str) -> str:
    """The folder of a volume on the host."""
    (found,) = json.loads(box.docker("volume", "inspect", volume).stdout)
    return str(found["Mountpoint"])


@fault(_OWN, subject="container:search8")
def image_that_keeps_its_data_elsewhere(box: Box) -> None:
    """A newer image has another folder for its data, and the volume is still at the former one; the
    command of the report mounts it there."""
    _search(box, "search8", "/data.ms", "-v", "docs8:/data.ms")
    box.docker("rm", "-f", "search8")
    box.sh("sleep 2")
    _search(box, "search8", "/meili/data.ms", "-v", "docs8:/data.ms")
    command = first_command(box, _OWN, "search8")
    assert command.endswith("recreate search8 -- --volume=docs8:/meili/data.ms | sh"), command


@fault(_OWN, subject="container:uploads8")
def empty_mount_beside_the_uploads(box: Box) -> None:
    """The program has never written to the folder that is mounted; the command of the report brings
    what it wrote there."""
    box.sh("mkdir -p /srv/uploads8")
    _search(box, "uploads8", "/srv/app/uploads", "-v", "/srv/uploads8:/app/uploads")
    command = first_command(box, _OWN, "uploads8")
    assert "docker cp --archive uploads8:/srv/app/uploads/. /srv/uploads8" in command, command


@fault(_OWN, subject="container:notes8")
def only_mount_at_another_path(box: Box) -> None:
    """The only mount is empty, and the program keeps all that it has in a folder of another name;
    the command of the report mounts it there."""
    box.sh("mkdir -p /srv/notes8")
    _search(box, "notes8", "/opt/notes/library", "-v", "/srv/notes8:/data")
    command = first_command(box, _OWN, "notes8")
    assert "cp --archive notes8:/opt/notes/library/" in command, command


@fault(_OWN, subject="container:backrest8")
def setting_that_is_no_variable(box: Box) -> None:
    """Compose drops an entry of `environment` without a value: the program keeps its data at home,
    beside an empty mount."""
    box.sh("mkdir -p /srv/backrest8")
    options = ("--env=/srv/backrest8:/data", "-v", "/srv/backrest8:/data")
    _search(box, "backrest8", "/root/.local/share/backrest", *options)
    command = first_command(box, _OWN, "backrest8")
    assert "cp --archive backrest8:/root/.local/share/backrest/. /srv/backrest8" in command, command


@fault(_OWN, subject="container:plans8")
def settings_beside_the_data_at_home(box: Box) -> None:
    """The program has its data and its settings at home, beside two empty mounts; the command of
    the report brings both."""
    box.sh("mkdir -p /srv/plans8/data /srv/plans8/config")
    mounts = ("-v", "/srv/plans8/data:/data", "-v", "/srv/plans8/config:/config")
    _search(box, "plans8", "/root/.local/share/plans", *mounts)
    place = "/root/.config/plans"
    box.sh(f"docker exec plans8 sh -c 'mkdir -p {place} && echo plans >{place}/config.json'")
    command = first_command(box, _OWN, "plans8")
    assert "docker cp --archive plans8:/root/.config/plans/. /srv/plans8/config" in command, command
    assert "--volume=/srv/plans8/config:/root/.config/plans | sh" in command, command


@fault(_OWN, subject="container:blank8", shareable=True)
def mount_with_a_blank_at_its_end(box: Box) -> None:
    """A web page was filled in with a blank behind the path."""
    _search(box, "blank8", "/config", "-v", "blank8:/config ")


@fault(_OWN, subject="container:quote8", shareable=True)
def mount_with_a_quote_at_its_end(box: Box) -> None:
    """A quote of the compose file became a part of the path."""
    _search(box, "quote8", "/config", "-v", '/srv/quote8:/config"')
    assert not box.sh("ls /srv/quote8")


@fault(_OWN, subject="container:swapped8", shareable=True)
def mount_with_swapped_paths(box: Box) -> None:
    """The folder of the container stands before the colon, and that of the host behind it; the
    command of the report turns them round, and brings the data."""
    box.sh("mkdir -p /srv/swapped8")
    _search(box, "swapped8", "/datastore8", "-v", "/datastore8:/srv/swapped8")
    command = first_command(box, _OWN, "swapped8")
    assert "docker cp --archive swapped8:/datastore8/. /srv/swapped8" in command, command
    assert "--volume=/srv/swapped8:/datastore8" in command, command


@healthy()
def mounts_that_hold_the_data(box: Box) -> None:
    """Data in its mount; a cache and files of the image of the same name beside an idle mount; a
    folder for media that nothing was added to."""
    _search(box, "search9", "/data", "-v", "docs9:/data")
    _search(box, "cache9", "/var/cache/data", "-v", "idle9:/data")
    _search(box, "media9", "/var/lib/photos", "-v", "photos9:/photos")
    assert "indexes" in box.sh(f"ls {_store(box, 'docs9')}")


_PROXY = b"""#!/bin/sh
# a proxy that keeps its certificates in the file that an option names
file="${1#--acme.storage=}"
[ -s "$file" ] || head -c 3000 /dev/zero | tr '\\0' x >"$file"
echo "certificates: $(wc -c <"$file")"
exec sleep 1000
"""


def _certificates(box: Box, name: str, storage: str) -> None:
    """The proxy, with an empty file of the host mounted at /letsencrypt/acme.json."""
    load(box, "edge:3.1", Recipe({"edge": (_PROXY, 0o755)}, ('ENTRYPOINT ["/edge"]',)))
    box.write(f"/srv/{name}/acme.json", "", 0o600)
    mount = f"/srv/{name}/acme.json:/letsencrypt/acme.json"
    run(box, name, *SAFE, "-v", mount, "edge:3.1", f"--acme.storage={storage}")
    box.wait_for(lambda: "certificates" in logs(box, name), what="the certificates")


@fault(_OWN, subject="container:edge91", shareable=True)
def certificates_beside_their_file(box: Box) -> None:
    """The option names /acme.json, and the file is mounted elsewhere; the commands of the report
    bring both together."""
    _certificates(box, "edge91", "/acme.json")
    typed(box, first_command(box, _OWN, "edge91"))
    assert len(box.read("/srv/edge91/acme.json")) == 3000
    box.wait_for(lambda: "certificates: 3000" in logs(box, "edge91"), what="the certificates again")
    box.docker("rm", "-f", "edge91")
    _certificates(box, "edge91", "/acme.json")


@healthy(shareable=True)
def certificates_in_their_file(box: Box) -> None:
    """The same file, at the place that the option names."""
    _certificates(box, "edge92", "/letsencrypt/acme.json")


@healthy(shareable=True)
def file_of_a_moment_beside_an_empty_mount(box: Box) -> None:
    """The program keeps a file in /tmp, and nothing yet in its mount."""
    _certificates(box, "edge93", "/tmp/acme.json")
