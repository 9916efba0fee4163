"""The check in checks/container/running/sites/certificate_expired.py, and its evidence."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.mounts.certificates.certificate_files import (
    CertificateFile,
    CertificateFiles,
)
from diagnose.evidence.containers.mounts.certificates.expired_certificates import (
    expired_certificates,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.questions.files import PathStatus
from tests.checks.container.running.sites.test_certificate_unread import pem
from tests.hosts import Made
from tests.inspected import bind, container
from tests.judging import judge, rows

NOW = 1_800_000_000.0  # 2027-01-15
CLOCK = Clock(NOW, NOW - 9000)
EDGE = container("edge")
CERTBOT = container(
    "renewal",
    Config={"Image": "certbot/certbot:v3"},
    **bind("/srv/le", Destination="/etc/letsencrypt"),
)
OF_HOST = container(
    "renewal",
    Config={"Image": "certbot/certbot:v3"},
    **bind("/etc/letsencrypt", Destination="/etc/letsencrypt"),
)
FOLDER = Mount(type="bind", source="/srv/le", destination="/etc/letsencrypt")


def file(name: str, folder: Mount = FOLDER) -> CertificateFile:
    inside = f"/etc/letsencrypt/live/{name}/fullchain.pem"
    return CertificateFile(EDGE, "nginx", NOW - 5000, inside, folder, PathStatus(type="file"))


PERIODS = {
    "expired": ("261001000000", "270101000000", [("warning", "edge")]),
    "three days left of ninety": ("261020000000", "270118000000", [("advice", "edge")]),
    "twenty days left of ninety": ("261107000000", "270204000000", []),
    "one day left of two": ("270114000000", "270116000000", []),
    "half a year left of ten": ("170701000000", "270701000000", []),
}


def found(texts: dict[str, str], *others: Any, folder: Mount = FOLDER) -> Any:
    def read(question: Any) -> dict[str, object]:
        return {"text": texts[question.path.split("/")[2]]}

    files = CertificateFiles(tuple(file(name, folder) for name in texts))
    return expired_certificates(
        Made({"file.read": read}), files, Containers([EDGE, *others]), CLOCK
    )


@pytest.mark.parametrize(("start", "end", "expected"), PERIODS.values(), ids=PERIODS)
def test_when_a_certificate_is_late(start: str, end: str, expected: list[tuple[str, str]]) -> None:
    expired = found({"shop": pem(end, start)})
    result = judge("container.certificate-expired", expired_certificates=expired, clock=CLOCK)
    assert rows(result) == expected


def test_the_first_to_expire_speaks_for_a_container() -> None:
    (expired,) = found(
        {"shop": pem("270110000000"), "api": pem("270101000000"), "well": pem("300101000000")}
    )
    assert expired.lineage == "api"
    assert expired.others == ("/etc/letsencrypt/live/shop/fullchain.pem",)
    assert expired.renewer is None


def test_certbot_in_a_container_with_the_same_folder_renews_it() -> None:
    (expired,) = found({"shop": pem("270101000000")}, CERTBOT)
    assert expired.renewer == CERTBOT


RENEWED = {
    "certbot of the host": ("/etc/letsencrypt", (), {"host_lineage"}),
    "certbot in a container": ("/etc/letsencrypt", (OF_HOST,), {"renewer", "lineage"}),
    "another folder of the host": ("/srv/le", (), set()),
}


@pytest.mark.parametrize(("source", "others", "expected"), RENEWED.values(), ids=RENEWED)
def test_who_renews_it(source: str, others: tuple[Any, ...], expected: set[str]) -> None:
    folder = Mount(type="bind", source=source, destination="/etc/letsencrypt")
    expired = found({"shop": pem("270101000000")}, *others, folder=folder)
    result = judge("container.certificate-expired", expired_certificates=expired, clock=CLOCK)
    (finding,) = result.findings
    assert finding.variables.keys() - {"container", "certificate"} == expected


LIVE = "/etc/letsencrypt/live"
BESIDE: dict[str, tuple[dict[str, str], str, dict[str, str]]] = {
    "a folder with a number": (
        {"shop-0001/fullchain.pem": "300101000000", "api/fullchain.pem": "310101000000"},
        "/srv/edge.conf",
        {
            "settings": "/srv/edge.conf",
            "edit": f"s|{LIVE}/shop/|{LIVE}/shop-0001/|g",
            "reload": "nginx -t && nginx -s reload",
        },
    ),
    "several files that name it": (
        {"shop-0001/fullchain.pem": "300101000000"},
        "",
        {"newer": f"{LIVE}/shop-0001/fullchain.pem"},
    ),
    "a file in the same folder": (
        {"shop/shop-2027.crt": "300101000000"},
        "/srv/edge.conf",
        {"newer": f"{LIVE}/shop/shop-2027.crt"},
    ),
    "one that has expired too": ({"shop-0001/fullchain.pem": "270101000000"}, "/srv/edge.conf", {}),
    "one for other names": ({"api/fullchain.pem": "300101000000"}, "/srv/edge.conf", {}),
}


@pytest.mark.parametrize(("others", "named_by", "expected"), BESIDE.values(), ids=BESIDE)
def test_a_valid_one_beside_it(
    others: dict[str, str], named_by: str, expected: dict[str, str]
) -> None:
    ends = {"shop/fullchain.pem": "270101000000", **others}
    texts = {
        f"/live/{path}": pem(end, name="api.test" if path.startswith("api") else "shop.test")
        for path, end in ends.items()
    }

    def listing(question: Any) -> dict[str, object]:
        inside = [path.removeprefix(f"{question.path}/") for path in texts]
        inside = [path for path in inside if not path.startswith("/")]
        names = {path.partition("/")[0]: "folder" if "/" in path else "link" for path in inside}
        return {"entries": [{"name": name, "type": kind} for name, kind in names.items()]}

    host = Made(
        {"file.read": lambda question: {"text": texts[question.path]}, "file.list": listing}
    )
    served = replace(file("shop"), named_by=named_by)
    expired = expired_certificates(host, CertificateFiles((served,)), Containers([EDGE]), CLOCK)
    result = judge("container.certificate-expired", expired_certificates=expired, clock=CLOCK)
    (finding,) = result.findings
    assert {
        name: value
        for name, value in finding.variables.items()
        if name not in ("container", "certificate")
    } == expected


def test_a_file_that_is_mounted_alone() -> None:
    inside = "/etc/nginx/shop.pem"
    mount = Mount(type="bind", source="/srv/shop.pem", destination=inside)
    alone = CertificateFile(EDGE, "nginx", NOW, inside, mount, PathStatus(type="file"))
    host = Made(
        {
            "file.read": lambda question: {
                "text": {"/srv/shop.pem": pem("270101000000")}[question.path]
            }
        }
    )
    (expired,) = expired_certificates(host, CertificateFiles((alone,)), Containers([EDGE]), CLOCK)
    assert (expired.file.path, expired.lineage) == ("/srv/shop.pem", "")


def test_a_file_that_is_no_certificate_says_nothing() -> None:
    assert not found({"shop": "-----BEGIN PRIVATE KEY-----"}).items
