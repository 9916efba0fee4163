"""The check in checks/image/registry_certs_misnamed.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.images.pulls.registry_files import (
    CERTIFICATES,
    RegistryFiles,
    registry_files,
)
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from tests.checks.daemon.evidence import ALIVE
from tests.hosts import Made
from tests.judging import judge, rows

HOST = "registry.example.com:5000"
FOUND = [("warning", "docker")]
FILES: dict[str, tuple[list[str], list[tuple[str, str]], str]] = {
    "an authority called ca.cert": (["ca.cert"], FOUND, "ca.crt"),
    "a pair of .key and .crt": (["client.key", "client.crt"], FOUND, "client.cert"),
    "a key alone": (["client.key", "ca.crt"], FOUND, ""),
    "a certificate alone, beside an authority": (["ca.cert", "ca.crt"], FOUND, ""),
    "all that belongs together": (["ca.crt", "client.cert", "client.key"], [], ""),
    "an authority": (["ca.crt", "README"], [], ""),
    "an empty folder": ([], [], ""),
}


def files(names: list[str]) -> RegistryFiles:
    def listing(question: AnyQuestion) -> Json:
        inside = [HOST] if question.args["path"] == CERTIFICATES else names
        kind = "folder" if inside == [HOST] else "file"
        return {"entries": [{"name": name, "type": kind} for name in inside]}

    files = registry_files(Made({"file.list": listing}), None)
    assert isinstance(files, RegistryFiles)
    return files


@pytest.mark.parametrize(("names", "expected", "renamed"), FILES.values(), ids=FILES)
def test_files_for_a_registry(
    names: list[str], expected: list[tuple[str, str]], renamed: str
) -> None:
    result = judge("image.registry-certs-misnamed", files=files(names), info=Info(), daemon=ALIVE)
    assert rows(result) == expected
    targets = {finding.variables.get("to", "").rpartition("/")[2] for finding in result.findings}
    assert targets == ({renamed} if expected else set())


def test_without_a_folder() -> None:
    host = Made({"file.list": lambda _: Failed("missing", CERTIFICATES)})
    assert registry_files(host, None) == RegistryFiles()


@pytest.mark.parametrize("there", ["/etc/pki/tls/certs/ca-bundle.crt", ""])
def test_the_authorities_of_the_system(there: str) -> None:
    def stats(question: AnyQuestion) -> Json:
        return {
            path: {"failed": "" if path == there else "missing"} for path in question.args["paths"]
        }

    host = Made({"file.stats": stats, "file.list": lambda _: Failed("missing", CERTIFICATES)})
    refused = Pulls(
        (PullTrouble("tls", "ghcr.io", "", 1, first=0.0, last=0.0, text="x509"),), "log"
    )
    files = registry_files(host, refused)
    assert isinstance(files, RegistryFiles)
    assert files.authorities == there


def test_nobody_looks_for_authorities_without_a_refused_certificate() -> None:
    host = Made({"file.list": lambda _: Failed("missing", CERTIFICATES)})
    assert registry_files(host, Pulls((), "log")) == RegistryFiles()
    assert [question.kind for question in host.asked] == ["file.list"]
