"""Volumes that were left when their compose project got another name."""

from __future__ import annotations

import pytest

from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes, Volume
from tests.inspected import container, of
from tests.judging import judge

CASES = {
    "the first compose left the dash out": ("mailcowdockerized", True),
    "another project": ("webmail", False),
    "the same project": ("mailcow-dockerized", False),
}


@pytest.mark.parametrize(("project", "is_former"), CASES.values(), ids=CASES)
def test_the_removal_of_a_former_volume_is_not_proposed(project: str, is_former: bool) -> None:
    compose = "com.docker.compose"
    labels = {f"{compose}.project": project, f"{compose}.volume": "vmail"}
    unused = Volume(f"{project}_vmail-old", labels=labels)
    mount = {"Type": "volume", "Name": "mailcow-dockerized_vmail", "Destination": "/var/vmail"}
    of_project = {"Labels": {f"{compose}.project": "mailcow-dockerized"}}
    dovecot = container("dovecot", Config=of_project, Mounts=[mount])
    (finding,) = judge(
        "storage.volumes-unused", volumes=UnusedVolumes((unused,)), containers=of(dovecot)
    ).findings
    assert ("former" in finding.variables) is is_former
    assert ("volume" in finding.variables) is not is_former
    assert finding.is_quiet is not is_former
