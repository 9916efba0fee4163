"""The check in checks/image/registry_tls.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Caller, Daemon
from diagnose.evidence.engine.daemon_processes import DaemonProcesses
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls.pull_errors import Why
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.images.pulls.registry_files import (
    AUTHORITIES,
    CERTIFICATES,
    RegistryFiles,
    UnreadAuthority,
    registry_files,
)
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from diagnose.questions.engine import RegistryConfig, RegistryIndex
from tests.checks.daemon.evidence import NAMED
from tests.checks.image.evidence import CLOCK, NOW
from tests.hosts import Made
from tests.judging import judge


@pytest.mark.parametrize(
    ("why", "text", "blocks"),
    [
        pytest.param(
            "tls",
            "x509: certificate signed by unknown authority",
            {"untrusted"},
            id="unknown authority",
        ),
        pytest.param(
            "tls", "x509: certificate has expired or is not yet valid", set(), id="expired"
        ),
        pytest.param(
            "plain-http",
            "server gave HTTP response to HTTPS client",
            {"insecure_json"},
            id="no TLS at all",
        ),
    ],
)
def test_a_certificate_is_offered_only_against_an_unknown_authority(
    why: Why, text: str, blocks: set[str]
) -> None:
    failed = Pulls((PullTrouble(why, "r:5000", "", 1, NOW - 60, NOW - 60, text),), "log")
    config = DaemonConfig("/etc/docker/daemon.json")
    (finding,) = judge("image.registry-tls", pulls=failed, clock=CLOCK, config=config).findings
    assert finding.variables.keys() & {"untrusted", "insecure_json"} == blocks


LOOKS = {
    "its time is over": (
        (
            "x509: certificate has expired or is not yet valid: current time 2026-03-01T10:00:00Z is "
            "after 2026-02-01T00:00:00Z"
        ),
        "dated",
    ),
    "another name": ("x509: certificate is valid for registry.lan, not reg.lan", "misnamed"),
    "no name": (
        "x509: cannot validate certificate for 192.0.2.10 because it doesn't contain any IP SANs",
        "misnamed",
    ),
    "a name of the old kind": (
        "x509: certificate relies on legacy Common Name field, use SANs instead",
        "misnamed",
    ),
}


@pytest.mark.parametrize(("text", "variable"), LOOKS.values(), ids=LOOKS)
def test_what_the_certificate_itself_is_asked(text: str, variable: str) -> None:
    failed = Pulls((PullTrouble("tls", "r:5000", "", 1, NOW - 60, NOW - 60, text),), "log")
    (finding,) = judge("image.registry-tls", pulls=failed, clock=CLOCK).findings
    assert finding.variables[variable] == "r:5000"


UNTRUSTED = "x509: certificate signed by unknown authority"


SIGNED = {
    "a registry of the internet": ("docker.io", RegistryFiles(authorities="/etc/x"), "inspected"),
    "one that has a name for each customer": ("eu.gcr.io", None, "inspected"),
    "a host without authorities": ("ghcr.io", RegistryFiles(authorities=""), "package"),
    "a registry of one's own": ("r:5000", RegistryFiles(authorities=""), "untrusted"),
}


@pytest.mark.parametrize(("registry", "files", "variable"), SIGNED.values(), ids=SIGNED)
def test_who_signed_it(registry: str, files: RegistryFiles | None, variable: str) -> None:
    failed = Pulls((PullTrouble("tls", registry, "", 1, NOW - 60, NOW - 60, UNTRUSTED),), "log")
    (finding,) = judge("image.registry-tls", pulls=failed, clock=CLOCK, files=files).findings
    assert finding.variables.keys() & {"inspected", "package", "untrusted"} == {variable}
    assert finding.variables["endpoint"].count(":") == 1


@pytest.mark.parametrize(("exceptions", "variable"), [("", "proxied"), (".gcr.io", "endpoint")])
def test_the_proxy_of_the_engine_is_asked_for_the_certificate(
    exceptions: str, variable: str
) -> None:
    failed = Pulls((PullTrouble("tls", "eu.gcr.io", "", 1, NOW - 60, NOW - 60, UNTRUSTED),), "log")
    info = Info(https_proxy="http://192.0.2.1:3128", no_proxy=exceptions)
    (finding,) = judge("image.registry-tls", pulls=failed, clock=CLOCK, info=info).findings
    assert finding.variables.keys() & {"proxied", "endpoint"} == {variable}
    assert ("proxy_port" in finding.variables) == (variable == "proxied")


UNREAD = Info(registry_config=RegistryConfig({"docker.io": RegistryIndex()}))


NAMED_IN_FILE = DaemonConfig(
    "/etc/docker/daemon.json", values={"insecure-registries": ["r:5000"]}, pid=812
)


INSECURE = {
    "named, and not read": (NAMED_IN_FILE, UNREAD, {"unread"}),
    "not named": (DaemonConfig("/etc/docker/daemon.json", pid=812), UNREAD, {"insecure_json"}),
    "an engine that says nothing": (NAMED_IN_FILE, None, {"insecure_json"}),
}


@pytest.mark.parametrize(("config", "info", "blocks"), INSECURE.values(), ids=INSECURE)
def test_a_registry_that_the_file_names_already(
    config: DaemonConfig, info: Info | None, blocks: set[str]
) -> None:
    text = "server gave HTTP response to HTTPS client"
    failed = Pulls((PullTrouble("plain-http", "r:5000", "", 1, NOW - 60, NOW - 60, text),), "log")
    result = judge("image.registry-tls", pulls=failed, clock=CLOCK, config=config, info=info)
    (finding,) = result.findings
    assert finding.variables.keys() & {"unread", "insecure_json"} == blocks


YOUNGER = {
    "younger than the engine": (600.0, NOW - 300, {"trusted_later"}),
    "older than the engine": (600.0, NOW - 900, {"untrusted"}),
    "of an unknown time": (600.0, None, {"untrusted"}),
    "an engine of an unknown age": (None, NOW - 300, {"untrusted"}),
}


@pytest.mark.parametrize(("age", "changed", "blocks"), YOUNGER.values(), ids=YOUNGER)
def test_a_list_of_authorities_that_the_engine_has_not_read(
    age: float | None, changed: float | None, blocks: set[str]
) -> None:
    failed = Pulls((PullTrouble("tls", "r:5000", "", 1, NOW - 60, NOW - 60, UNTRUSTED),), "log")
    files = RegistryFiles(authorities="/etc/x", authorities_changed=changed)
    daemon = Daemon(NAMED, Caller(), processes=DaemonProcesses(age=age))
    result = judge("image.registry-tls", pulls=failed, clock=CLOCK, files=files, daemon=daemon)
    (finding,) = result.findings
    assert finding.variables.keys() & {"trusted_later", "untrusted"} == blocks


ANCHOR = "/usr/local/share/ca-certificates/corp-ca.crt"
KNOWN_FILES = {
    "added, and not in the list": (RegistryFiles(authorities="/etc/x", unlisted=ANCHOR), "listed_debian", ANCHOR),
    "the same on Red Hat": (
        RegistryFiles(authorities="/etc/x", unlisted="/etc/pki/ca-trust/source/anchors/c.pem"),
        "listed_rpm",
        "/etc/pki/ca-trust/source/anchors/c.pem",
    ),
    "an authority of its own": (
        RegistryFiles(authorities="/etc/x", own_authorities=("r:5000",)),
        "untrusted",
        "none of the authorities in /etc/docker/certs.d/r:5000 has signed",
    ),
    "in binary form": (
        RegistryFiles(
            authorities="/etc/x",
            own_authorities=("r:5000",),
            unread=(UnreadAuthority("r:5000", "/c/ca.crt", "holds DER", is_binary=True),),
        ),
        "binary",
        "/c/ca.crt holds DER, and the engine reads certificates in the form of PEM alone",
    ),
    "a page in its place": (
        RegistryFiles(authorities="/etc/x", unread=(UnreadAuthority("r:5000", "/c/ca.crt", "is empty"),)),
        "untrusted",
        "/c/ca.crt is empty",
    ),
    "of another registry, and empty": (
        RegistryFiles(authorities="/etc/x", unread=(UnreadAuthority("q:5000", "/c/ca.crt", "is empty"),)),
        "untrusted",
        "this host does not know the certificate authority (CA)",
    ),
    "one of another registry": (
        RegistryFiles(authorities="/etc/x", own_authorities=("q:5000",)),
        "untrusted",
        "this host does not know the certificate authority (CA)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "block", "words"), KNOWN_FILES.values(), ids=KNOWN_FILES)
def test_what_is_known_of_the_authorities(files: RegistryFiles, block: str, words: str) -> None:
    failed = Pulls((PullTrouble("tls", "r:5000", "", 1, NOW - 60, NOW - 60, UNTRUSTED),), "log")
    (finding,) = judge("image.registry-tls", pulls=failed, clock=CLOCK, files=files).findings
    assert block in finding.variables
    assert words in finding.summary


BODY = "MIIB" + "made+up/" * 20
PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
LISTED = {
    "newer, and missing": (200.0, PEM.format("MIIC" * 40), ANCHOR),
    "newer, and there, in other lines": (200.0, PEM.format(f"{BODY[:64]}\n{BODY[64:]}"), ""),
    "older": (50.0, "", ""),
    "of an unknown time": (None, "", ""),
}


@pytest.mark.parametrize(("mtime", "bundle", "unlisted"), LISTED.values(), ids=LISTED)
def test_files_of_authorities(mtime: float | None, bundle: str, unlisted: str) -> None:
    def listing(question: AnyQuestion) -> Json:
        folders = {
            ANCHOR.rpartition("/")[0]: [{"name": "corp-ca.crt", "type": "file"}],
            CERTIFICATES: [{"name": "r:5000", "type": "folder"}],
            f"{CERTIFICATES}/r:5000": [{"name": "ca.crt", "type": "file"}],
        }
        return {"entries": folders.get(question.args["path"], [])}

    def statuses(question: AnyQuestion) -> Json:
        known = {AUTHORITIES[0]: 100.0, ANCHOR: mtime}
        return {
            path: {"type": "file", "mtime": known[path]} if path in known else {"failed": "missing"}
            for path in question.args["paths"]
        }

    def text(question: AnyQuestion) -> Json:
        return {"text": PEM.format(BODY) if question.args["path"] == ANCHOR else bundle}

    failed = Pulls((PullTrouble("tls", "r:5000", "", 1, NOW - 60, NOW - 60, UNTRUSTED),), "log")
    answers = {"file.list": listing, "file.stats": statuses, "file.read": text}
    found = registry_files(Made(answers), failed)
    assert isinstance(found, RegistryFiles)
    assert (found.unlisted, found.own_authorities) == (unlisted, ("r:5000",))


CONTENTS = {
    "PEM": (PEM.format(BODY), ""),
    "text above PEM": (f"Issuer: corp\n{PEM.format(BODY)}", ""),
    "DER": ("0\ufffd\u0003\ufffd0\ufffd", "in binary form (DER)"),
    "a page": ("<!DOCTYPE html><html>Log in</html>", "a page of a web server"),
    "empty": ("\n", "is empty"),
    "a key": ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", "a private key"),
    "words": ("0 certificates", "no certificate in the form of PEM"),
}


@pytest.mark.parametrize(("text", "holds"), CONTENTS.values(), ids=CONTENTS)
def test_what_an_authoritys_file_holds(text: str, holds: str) -> None:
    def listing(question: AnyQuestion) -> Json:
        folders = {
            CERTIFICATES: [{"name": name, "type": "folder"} for name in ("r:5000", "well:5000")],
            f"{CERTIFICATES}/r:5000": [{"name": "ca.crt", "type": "file"}],
            f"{CERTIFICATES}/well:5000": [{"name": "ca.crt", "type": "file"}],
        }
        return {"entries": folders.get(question.args["path"], [])}

    failed = Pulls((PullTrouble("tls", "r:5000", "", 1, NOW - 60, NOW - 60, UNTRUSTED),), "log")
    found = registry_files(Made({"file.list": listing, "file.read": {"text": text}}), failed)
    assert isinstance(found, RegistryFiles)
    assert [file.registry for file in found.unread] == (["r:5000"] if holds else [])
    assert all(holds in file.holds for file in found.unread)
    assert all(file.is_binary == ("DER" in file.holds) for file in found.unread)


IN_FORCE = {
    "listed by now": (RegistryConfig({"r:5000": RegistryIndex(secure=False)}), False),
    "called over TLS": (RegistryConfig({"r:5000": RegistryIndex()}), True),
    "another one is listed": (RegistryConfig({"q:5000": RegistryIndex(secure=False)}), True),
}


@pytest.mark.parametrize(("config", "fails"), IN_FORCE.values(), ids=IN_FORCE)
def test_a_registry_that_the_engine_takes_without_tls_by_now(
    config: RegistryConfig, fails: bool
) -> None:
    refused = "server gave HTTP response to HTTPS client"
    failed = Pulls(
        (PullTrouble("plain-http", "r:5000", "", 1, NOW - 60, NOW - 60, refused),), "log"
    )
    result = judge(
        "image.registry-tls", pulls=failed, clock=CLOCK, info=Info(registry_config=config)
    )
    assert bool(result.findings) is fails
