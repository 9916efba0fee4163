"""container.certificate-unfit and container.site-unread, by what nginx's configuration says."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.mounts.certificates.unfit_certificates import unfit_certificates
from diagnose.evidence.machine.certificate import names_of
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.proxies.nginx.sites import NginxSites, nginx_sites
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Failed
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

PEM = """-----BEGIN CERTIFICATE-----
MIIBpTCCAUygAwIBAgIUSnT9+b2ZeJCb7RhNUuoD/Aitf28wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJc2hvcC50ZXN0MB4XDTI2MTEzMDE5NTM1M1oXDTM2MTEyNzE5
NTM1M1owFDESMBAGA1UEAwwJc2hvcC50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEmt/umVLFrFGwU38FkMhj4boGGxVuE222s7c4ImCBWPTnjt83ZPYc57O2
TbiyYpw0E0J2cO/UlvyzmdaAClfkeaN8MHowHQYDVR0OBBYEFOfeitta7OzKWwi8
lB9HgyfORuKmMB8GA1UdIwQYMBaAFOfeitta7OzKWwi8lB9HgyfORuKmMA8GA1Ud
EwEB/wQFMAMBAf8wJwYDVR0RBCAwHoIJc2hvcC50ZXN0ggsqLnNob3AudGVzdIcE
wAACATAKBggqhkjOPQQDAgNHADBEAiA5BmHaD9YXHe+adSvrp4ETW1ZST0EJsxTP
KTaNo8rASQIgUWXqJ4Sv4ztcLyO1sfsXuFZ4NfTPcMI0jdSn/8dfv+0=
-----END CERTIFICATE-----
"""
BETWEEN = """-----BEGIN CERTIFICATE-----
MIIBFzCBvQIUAd5k3ikYpdYgiXDbw/74Rb2fAbowCgYIKoZIzj0EAwIwDzENMAsG
A1UEAwwEUm9vdDAeFw0yNjExMzAyMDQ5NDdaFw0zNjExMjcyMDQ5NDdaMA0xCzAJ
BgNVBAMMAlIxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDRFbk4mqco3NjcVy
dw7yRs4kr5IKlEo/i7jxn6eZXN+nop8MrhkYR7yXVsN5abKUjPXL+vgu1KpOVb1I
DFyITTAKBggqhkjOPQQDAgNJADBGAiEAnKgbLyC5yPpgvN+v24u2Nce7LgC0+Rny
/Z8GCFmh1csCIQC7Eip4YVAfOn0ZvxH0dnQ06k4fXRkusMg82GyZ2UmKUQ==
-----END CERTIFICATE-----
"""
SIGNED = """-----BEGIN CERTIFICATE-----
MIIBnTCCAUOgAwIBAgIUULFeSlBHQNor04bmALd9wiUo3PQwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCUjEwHhcNMjYxMTMwMjA0OTQ4WhcNMzYxMTI3MjA0OTQ4WjAU
MRIwEAYDVQQDDAlzaG9wLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARB
yF8YHnqwvPbkm9I0zd3q9t+Kxbop67Tjzmm9K2mlaQZ5FoeuvP+ZBhOfkSlSMs/H
TBLjT2axy83NdBJtFpjto3oweDAhBgNVHREEGjAYgglzaG9wLnRlc3SCCyouc2hv
cC50ZXN0MB0GA1UdDgQWBBSi3JsauWUG6TPC1FSSvVVMh6bO9zA0BgNVHSMELTAr
oROkETAPMQ0wCwYDVQQDDARSb290ghQB3mTeKRil1iCJcNvD/vhFvZ8BujAKBggq
hkjOPQQDAgNIADBFAiAEBoe2g3ad+U2Ck512R9gh788sXf1q/7+FbgEgH1lZrQIh
ALCqyz/STFUGgodNCweo57GC3hUpmA/aU0LpQpziUPkS
-----END CERTIFICATE-----
"""
"""For shop.test and *.shop.test, signed by BETWEEN, which another one has signed."""
MAIN = "/srv/edge/nginx.conf"
TLS = "http {{ server {{ listen 443 ssl; server_name {}; ssl_certificate {}; }} }}"
INCLUDES = "http { include /etc/nginx/conf.d/*.conf; server { listen 80; } }"
SITE = "server { listen 80; server_name shop.test; }"


def edge(*mounts: tuple[str, str], command: tuple[str, ...] = ()) -> Any:
    """nginx with its main file and these further mounts: source and destination."""
    given = [
        {"Type": "bind", "Source": source, "Destination": destination, "RW": False}
        for source, destination in ((MAIN, "/etc/nginx/nginx.conf"), *mounts)
    ]
    return container("edge", Mounts=given, Path="nginx", Args=list(command))


def sites(
    server: Any, texts: dict[str, str], layer: tuple[str, ...] = ()
) -> tuple[Made, NginxSites]:
    """The sites of a server by the texts of the host's files, and that host.

    layer: the paths of further files inside the container.
    """

    def read(question: Any) -> Any:
        path = f"{question.root or ''}{question.path}"
        if path not in texts:
            return Failed("missing", path)
        text = texts[path]
        return {"text": only(question.parts, text) if question.parts else text}

    def listed(question: Any) -> Any:
        if (question.root or "").startswith("/proc/"):
            inside = [path for path in layer if path.startswith(f"{question.path}/")]
            entries = [{"name": path.rpartition("/")[2], "type": "file"} for path in inside]
            return {"entries": entries} if inside else Failed("missing", question.path)
        folder = f"{(question.root or '').rstrip('/')}/"
        names = [path.removeprefix(folder) for path in texts if path.startswith(folder)]
        if not names:
            return Failed("malformed", "no folder")
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    def stat(question: Any) -> Any:
        return {path: {"type": "file" if path in texts else "missing"} for path in question.paths}

    host = Made({"file.read": read, "file.list": listed, "file.stats": stat})
    processes = Processes((Process(7, comm="nginx", container=server.id),))
    return host, nginx_sites(host, Containers((server,)), processes)


CERTIFICATES: dict[str, tuple[str, str, dict[str, str], list[tuple[str, str]]]] = {
    "its name": ("shop.test", "/certs/site.pem", {}, []),
    "a wildcard": ("www.shop.test shop.test", "/certs/site.pem", {}, []),
    "another name": ("shop.example", "/certs/site.pem", {}, [("advice", "edge")]),
    "two words for one": ("a.b.shop.test", "/certs/site.pem", {}, [("advice", "edge")]),
    "no name": ("_", "/certs/site.pem", {}, []),
    "a pattern": ("~^(.+)\\.example$ *.example", "/certs/site.pem", {}, []),
    "without its chain": (
        "shop.test", "/certs/cert.pem",
        {"/srv/certs/cert.pem": SIGNED, "/srv/certs/fullchain.pem": SIGNED + BETWEEN,
         "/srv/certs/chain.pem": BETWEEN}, [("warning", "edge")],
    ),
    "signed by a root": (
        "shop.test", "/certs/cert.pem",
        {"/srv/certs/fullchain.pem": PEM, "/srv/certs/chain.pem": BETWEEN}, [("advice", "edge")],
    ),
    "signed by itself": (
        "shop.test", "/certs/cert.pem", {"/srv/certs/fullchain.pem": PEM}, [("advice", "edge")],
    ),
    "cert.pem alone": ("shop.test", "/certs/cert.pem", {}, []),
    "no certificate": ("shop.example", "/certs/none.pem", {}, []),
}  # fmt: skip


@pytest.mark.parametrize(
    ("names", "file", "more", "expected"), CERTIFICATES.values(), ids=CERTIFICATES
)
def test_certificates(
    names: str, file: str, more: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    certificates = {"/srv/certs/site.pem": PEM, "/srv/certs/cert.pem": PEM}
    texts = {MAIN: TLS.format(names, file), **certificates, **more}
    host, found = sites(edge(("/srv/certs", "/certs")), texts)
    result = judge(
        "container.certificate-unfit", unfit_certificates=unfit_certificates(host, found)
    )
    assert rows(result) == expected


def test_names_of_what_is_no_certificate() -> None:
    assert names_of(PEM) == ("shop.test", "*.shop.test")
    assert names_of("") == ()
    assert names_of("-----BEGIN CERTIFICATE-----!-----END CERTIFICATE-----") == ()
    lines = PEM.splitlines()
    assert names_of("\n".join([*lines[:7], lines[-1]])) == ()


def _with_names(*names: bytes) -> str:
    """A certificate of nothing but these alternative names."""
    elements = b"".join(b"\x82" + bytes([len(name)]) + name for name in names)
    size = len(elements).to_bytes(4, "big")
    octets = (len(elements) + 6).to_bytes(4, "big")
    der = b"\x06\x03\x55\x1d\x11\x04\x84" + octets + b"\x30\x84" + size + elements
    encoded = base64.b64encode(der).decode()
    return f"-----BEGIN CERTIFICATE-----{encoded}-----END CERTIFICATE-----"


def test_names_are_those_of_hosts() -> None:
    """Redaction and the screen know no base64: what else stands there is shown nowhere."""
    token = b"token=AbCdEf0123456789"
    hostile = (b"\x1b]0;x\x07", b"shop.test\nCRITICAL", token, b"", b"a b", b"Shop.test")
    assert names_of(_with_names(*hostile)) == ("shop.test",)


def test_names_are_few() -> None:
    """A file of 256 KiB has room for 90,000 empty names."""
    assert names_of(_with_names(*[b""] * 90_000, b"shop.test")) == ()


PLACES: dict[str, tuple[tuple[str, str], tuple[str, ...], dict[str, str]]] = {
    "beside what is included": (
        ("/srv/shop.conf", "/etc/nginx/sites-enabled/shop.conf"), (),
        {"volume": "/srv/shop.conf:/etc/nginx/conf.d/shop.conf:ro"},
    ),
    "in a folder": (
        ("/srv/sites", "/etc/nginx/sites-enabled"), (),
        {"unread": "/etc/nginx/sites-enabled/shop", "target": "/etc/nginx/conf.d/shop.conf"},
    ),
    "included": (("/srv/shop.conf", "/etc/nginx/conf.d/shop.conf"), (), {}),
    "set aside": (("/srv/shop.conf", "/etc/nginx/sites-available/shop.conf"), (), {}),
    "set aside by its name": (("/srv/shop.conf", "/etc/nginx/conf.d/shop.conf.bak"), (), {}),
    "of another colour": (("/srv/shop.conf", "/etc/nginx/conf.d/shop.conf.blue"), (), {}),
    "a page about it": (("/srv/shop.conf", "/etc/nginx/conf.d/README.md"), (), {}),
    "no site": (("/srv/snippet.conf", "/etc/nginx/snippets/tls.conf"), (), {}),
    "another main file": (
        ("/srv/shop.conf", "/etc/nginx/sites-enabled/shop.conf"), ("-c", "/opt/nginx.conf"), {},
    ),
    "elsewhere": (("/srv/shop.conf", "/opt/shop.conf"), (), {}),
}  # fmt: skip


@pytest.mark.parametrize(("mount", "command", "cure"), PLACES.values(), ids=PLACES)
def test_sites_that_nginx_does_not_read(
    mount: tuple[str, str], command: tuple[str, ...], cure: dict[str, str]
) -> None:
    texts = {
        MAIN: INCLUDES,
        "/srv/shop.conf": SITE,
        "/srv/sites/shop": SITE,
        "/srv/snippet.conf": "ssl_protocols TLSv1.3;",
    }
    _, found = sites(edge(mount, command=command), texts)
    result = judge("container.site-unread", nginx_sites=found)
    assert len(result.findings) == bool(cure)
    for finding in result.findings:
        assert cure.items() <= finding.variables.items()
        assert "shop.test" in finding.summary


def test_a_site_that_a_file_of_the_image_may_include() -> None:
    mounted = ("/srv/shop.conf", "/etc/nginx/user_conf.d/shop.conf")
    texts = {MAIN: INCLUDES, "/srv/shop.conf": SITE}
    _, found = sites(edge(mounted), texts)
    assert [site.path_inside for site in found.unread] == [mounted[1]]
    _, found = sites(edge(mounted), texts, layer=("/etc/nginx/conf.d/shop.conf",))
    assert not found.unread
