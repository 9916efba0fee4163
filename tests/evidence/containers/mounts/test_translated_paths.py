"""What a path means that one container names to another."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.containers.mounts.translated_paths import translated_path
from tests.inspected import container
from tests.judging import judge

PATH = "/config/Downloads/complete/movies/Film"
APPDATA = "/mnt/user/appdata"


def a(name: str, image: str = "", **mounts: str) -> Container:
    """Keyword names are places in the container, such as `config`."""
    binds: list[dict[str, Any]] = [
        {"Type": "bind", "Source": source, "Destination": f"/{place}", "RW": True}
        for place, source in mounts.items()
    ]
    running = {"Status": "running", "Pid": 7}
    return container(name, Mounts=binds, Config={"Image": image or name}, State=running)


SABNZBD = a("sabnzbd", "linuxserver/sabnzbd:4", config=f"{APPDATA}/sabnzbd")
PROWLARR = a("prowlarr", config=f"{APPDATA}/prowlarr")
CASES: dict[str, tuple[Container, list[Container], tuple[str, str, str] | None]] = {
    "mapped": (
        a("radarr", config=f"{APPDATA}/radarr", downloads=f"{APPDATA}/sabnzbd/Downloads/complete"),
        [SABNZBD, PROWLARR],
        ("sabnzbd", "/config/Downloads/complete", "/downloads"),
    ),
    "mounted from above": (
        a("radarr", config=f"{APPDATA}/radarr", data=APPDATA),
        [SABNZBD],
        ("sabnzbd", "/config", "/data/sabnzbd"),
    ),
    "not mounted": (
        a("radarr", config=f"{APPDATA}/radarr", movies="/mnt/user/movies"),
        [SABNZBD, PROWLARR],
        ("sabnzbd", "/config/Downloads/complete/movies", ""),
    ),
    "the same folder at the same place": (a("radarr", config=f"{APPDATA}/sabnzbd"), [SABNZBD], None),
    "nobody has it": (a("radarr"), [a("qbittorrent", downloads="/srv/x")], None),
    "two may have named it": (
        a("radarr", config=f"{APPDATA}/radarr", movies="/mnt/user/movies"),
        [SABNZBD, a("nzbget", config=f"{APPDATA}/nzbget")],
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("radarr", "others", "expected"), CASES.values(), ids=CASES)
def test_what_a_download_client_means(
    radarr: Container, others: list[Container], expected: tuple[str, str, str] | None
) -> None:
    found = translated_path(radarr, Containers((radarr, *others)), PATH)
    assert (found and (found.namer.name, found.remote, found.local)) == expected


WORDS = (
    "[Warn] Import failed, path does not exist or is not accessible by Radarr: {}. Ensure the path",
    (
        "You are using docker; download client SABnzbd places downloads in {} but this directory does "
        "not appear to exist inside the container. Review your remote path mappings"
    ),
)


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("mapped", {"remote": "/config/Downloads/complete", "local": "/downloads", "namer": "sabnzbd"}),
        (
            "not mounted",
            {"shared": f"{APPDATA}/sabnzbd/Downloads/complete/movies:/config/Downloads/complete/movies"},
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("words", WORDS)
def test_the_mapping_or_the_mount_is_offered(
    name: str, variables: dict[str, str], words: str
) -> None:
    radarr, others, _ = CASES[name]
    line = words.format(PATH)
    logs = RecentLogs({radarr.id: (RecentLine(5.0, line),) * 4})
    containers = Containers((radarr, *others))
    errors = repeated_errors(containers, logs)
    (finding,) = judge(
        "container.errors-in-log", repeated_errors=errors, containers=containers
    ).findings
    assert finding.variables.items() >= variables.items()
