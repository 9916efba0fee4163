"""The image of the release that wrote the data."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.first_steps.data_releases import image_of_data
from tests.checks.container.evidence import container_in

MEMOS = "ERROR cannot downgrade schema version databaseVersion=0.26.3 currentVersion=0.25.1"
PORTAINER = (
    "FTL the database schema version does not align with the server version. Please consider reverting "
    "to the previous server version | current_version=2.19.4 stored_version=2.20.1"
)
REDIS = "1:M 01 May 2026 10:00:00.000 # Can't handle RDB format version 11"
CASES = {
    "a time of day": ("14:03:45.120 cannot downgrade schema 9, 1.2.0 reads 8", "shop:1.2.0", ""),
    "an address": ("10.1.0.9 cannot downgrade schema 9, 1.2.0 reads 8", "shop:1.2.0", ""),
    "an amount": ("cannot downgrade 4.5 MB of schema 9, 1.2.0 reads 8", "shop:1.2.0", ""),
    "the tag of a release": (MEMOS, "neosmemo/memos:0.25.1", "neosmemo/memos:0.26.3"),
    "a tag of fewer numbers": (MEMOS, "neosmemo/memos:0.25", "neosmemo/memos:0.26"),
    "a tag with a letter and a base": (
        PORTAINER,
        "portainer/portainer-ce:v2.19.4-alpine",
        "portainer/portainer-ce:v2.20.1-alpine",
    ),
    "Redis by its format": (REDIS, "redis:7.0-alpine", "redis:7.2-alpine"),
    "Redis that is as new": (REDIS, "redis:7.2", ""),
    "a tag without a number": (MEMOS, "neosmemo/memos:latest", ""),
    "a tag of other numbers": (MEMOS, "shop/memos:4.1", ""),
    "a digest": (MEMOS, f"neosmemo/memos@sha256:{'a' * 64}", ""),
    "numbers of a schema": (
        "[F] Your database (migration version: 305) is for a newer Gitea, you can not use it for 280",
        "gitea/gitea:1.21.4",
        "",
    ),
    "another failure": ("dial tcp 10.0.0.9:5432: connection refused", "shop:1.2", ""),
}


@pytest.mark.parametrize(("line", "image", "expected"), CASES.values(), ids=CASES)
def test_the_image_that_reads_the_data(line: str, image: str, expected: str) -> None:
    container = container_in("exited", name="app", Config={"Image": image})
    found = image_of_data(container, LogTail((line,)).failure)
    assert found == ({"data_image": expected} if expected else {})
