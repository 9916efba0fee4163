"""The check in checks/image/unpack_failed.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.info import Ping
from diagnose.evidence.images.layers import Layers
from diagnose.evidence.images.pulls.pull_errors import classify
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from tests.checks.image.evidence import CLOCK, NOW
from tests.judging import judge, rows

_STORE = "/var/lib/docker/image/overlay2/layerdb"
UNPACKED: dict[str, tuple[str, str]] = {
    "not implemented: media type application/vnd.docker.distribution.manifest.v1+prettyjws": (
        "format",
        "schema 1",
    ),
    "unsupported layer media type application/vnd.oci.image.layer.v1.tar+zstd": (
        "format",
        "does not know",
    ),
    "failed to register layer: lsetxattr security.capability /bin/ping: operation not supported": (
        "unpack",
        "extended attributes",
    ),
    "failed to register layer: unshare: operation not permitted": ("unpack", "namespaces"),
    "failed to register layer: write /lib/x: input/output error": ("unpack", "disk"),
    "failed to register layer: Error processing tar file(signal: killed): ": ("unpack", "killed"),
    "failed to register layer: Error processing tar file(exit status 1): unexpected EOF": (
        "unpack",
        "downloaded completely",
    ),
    "failed to register layer: archive/tar: invalid tar header": (
        "unpack",
        "downloaded completely",
    ),
    f"failed to register layer: rename {_STORE}/tmp/write-set-1 {_STORE}/sha256/{'a' * 64}: file exists": (
        "unpack",
        "record of one of the layers",
    ),
    "failed to register layer: stat /var/lib/docker/overlay2/1: no such file": ("corrupt", ""),
}


@pytest.mark.parametrize("text", UNPACKED)
def test_what_keeps_a_whole_image_from_being_unpacked(text: str):
    why, words = UNPACKED[text]
    assert classify(text) == why
    trouble = PullTrouble(
        "unpack", registry="", image="", count=1, first=NOW - 60, last=NOW - 60, text=text
    )
    result = judge(
        "image.unpack-failed", pulls=Pulls((trouble,), "journal docker.service"), clock=CLOCK
    )
    assert all(words in finding.summary for finding in result.findings)


ENGINES = {"20.10.24+dfsg1": "20.10.24+dfsg1", "23.0.1": "", "28.5.2": "", "": ""}


@pytest.mark.parametrize("version", ENGINES)
def test_only_old_engines_lack_zstd(version: str) -> None:
    text = "failed to register layer: Error processing tar file(exit status 1): unexpected EOF"
    pulls = Pulls((PullTrouble("unpack", "", "shop:1", 1, NOW - 60, NOW - 60, text),), "log")
    (finding,) = judge(
        "image.unpack-failed", pulls=pulls, clock=CLOCK, ping=Ping("1.41", version, "")
    ).findings
    assert finding.variables.get("lacks_zstd", "") == ENGINES[version]
    assert ("zstd" in finding.summary) is bool(ENGINES[version])


PLUGIN = "unsupported media type application/vnd.docker.plugin.v1+json"
CURES = {
    "a plugin": (PLUGIN, "vieux/sshfs:1", {"plugin": "vieux/sshfs:1"}),
    "a plugin without a name": (PLUGIN, "", {}),
    "an image of an unknown form": ("failed to register layer: invalid tar header", "shop:1", {}),
    "a program that was killed": (
        "failed to register layer: Error processing tar file(signal: killed):",
        "shop:1",
        {"image": "shop:1"},
    ),
    "a share": (
        "failed to register layer: lsetxattr security.capability /bin/ping: operation not supported",
        "shop:1",
        {"unfit_disk": "data root"},
    ),
}


@pytest.mark.parametrize(("text", "image", "variables"), CURES.values(), ids=CURES)
def test_a_plugin_is_installed_and_an_image_pulled(
    text: str, image: str, variables: dict[str, str]
) -> None:
    trouble = PullTrouble(classify(text), "", image, 1, NOW - 60, NOW - 60, text)
    result = judge("image.unpack-failed", pulls=Pulls((trouble,), "log"), clock=CLOCK)
    assert [finding.variables for finding in result.findings] == [variables]


RECORD = f"{_STORE}/sha256/{'a' * 64}"
TOLD = f"failed to register layer: rename {_STORE}/tmp/write-set-1 {RECORD}: file exists"


@pytest.mark.parametrize("texts", [(), (TOLD,)], ids=["no pull has met it", "a pull has met it"])
def test_an_empty_record_of_a_layer_is_found_once(texts: tuple[str, ...]) -> None:
    troubles = [
        PullTrouble(
            "unpack", registry="", image="", count=3, first=NOW - 60, last=NOW - 60, text=text
        )
        for text in texts
    ]
    stored = Layers("/var/lib/docker/overlay2", 1, (), unreadable=(RECORD,))
    pulls = Pulls(tuple(troubles), "log")
    result = judge("image.unpack-failed", pulls=pulls, clock=CLOCK, stored=stored)
    (finding,) = result.findings
    assert finding.variables == {"record": RECORD, "root": "/var/lib/docker"}
    assert rows(result)[0][0] == "warning"
