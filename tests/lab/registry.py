"""A registry in the provider's network that refuses, for each reason that real ones have.

The image's first path component says which reason:

- `limited/app`  429, as Docker Hub says it
- `private/app`  401, also with a token
- `arm/app`      an index without this platform
- `broken/app`   503
- `ancient/app`  a manifest of schema 1
- `old/app:1`    an image that can be pulled, also as `bitnamilegacy/app`
- `ids/app`      a file whose owner has a number beyond any range
- `deep/app`     130 layers
- `big/app`      120 MB
- `zstd/app`     a layer that is compressed with zstd
- `slow/app`     a layer of which half comes, and then nothing
- `stored/app`   a blob that lies on another server, which does not run
- anything else  404, manifest unknown

What is pushed is refused as a web server refuses it that takes no large requests: 413.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .commands import poll
from .provider import WEB

if TYPE_CHECKING:
    from .box import Box

HUB = ("registry-1.docker.io", "auth.docker.io", "index.docker.io")
"""Docker Hub's hosts: in the box their names lead to the provider."""

_SERVER = r"""
import functools, gzip, hashlib, http.server, io, json, os, ssl, sys, tarfile, time
host, port, cert = sys.argv[1], int(sys.argv[2]), sys.argv[3]
strict = "strict" in sys.argv
basic = "basic" in sys.argv
digest = lambda data: "sha256:" + hashlib.sha256(data).hexdigest()
V2 = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
part = lambda data, kind: {"mediaType": "application/vnd.docker." + kind, "size": len(data), "digest": digest(data)}

def tar(name="file", content=b"", owner=0):
    file = tarfile.TarInfo(name)
    file.size, file.uid, file.gid = len(content), owner, owner
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(file, io.BytesIO(content))
    return out.getvalue()

CONTENTS = {
    "old": lambda: [tar()],
    "cut": lambda: [tar("file", b"cut")],
    "ids": lambda: [tar(owner=718322462)],
    "deep": lambda: [tar("file%d" % number) for number in range(130)],
    "big": lambda: [tar("file", os.urandom(1 << 20) * 120)],
    "zstd": lambda: [tar()],
    "slow": lambda: [tar("file", os.urandom(1 << 20))],
    "stored": lambda: [tar()],
}

def zstd(data):
    # a frame of one raw block: enough for 128 KB, and Python 3.11 has no program for more
    head = bytes.fromhex("28b52ffda0") + len(data).to_bytes(4, "little")
    return head + (len(data) << 3 | 1).to_bytes(3, "little") + data

@functools.cache
def image(name):
    # manifest, and blobs by digest
    plain = CONTENTS[name]()
    pack = zstd if name == "zstd" else functools.partial(gzip.compress, compresslevel=0)
    layers = [pack(each) for each in plain]
    kind = {"mediaType": "application/vnd.oci.image.layer.v1.tar+zstd"} if name == "zstd" else {}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "history": [],
        "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in plain]}}).encode()
    manifest = json.dumps({"schemaVersion": 2, "mediaType": V2, "config": part(config, "container.image.v1+json"),
        "layers": [{**part(each, "image.rootfs.diff.tar.gzip"), **kind} for each in layers]}).encode()
    return manifest, {digest(each): each for each in (config, *layers)}

manifest = image("old")[0]
index = json.dumps({"schemaVersion": 2, "mediaType": LIST, "manifests": [{**part(manifest, "x"), "mediaType": V2,
    "platform": {"architecture": "s390x", "os": "linux"}}]}).encode()
HUB = "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"
LIMIT = ("TOOMANYREQUESTS", HUB if cert else "rate exceeded")

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def reply(self, status, body=b"", kind="application/json", **headers):
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    def error(self, status, code, message, **headers):
        errors = [{"code": code, "message": message, "detail": "made up for " + self.path}]
        self.reply(status, json.dumps({"errors": errors}).encode(), **headers)
    def do_GET(self):
        path = self.path.partition("?")[0]
        given = self.headers.get("Authorization", "")
        if basic and not given:
            return self.error(401, "UNAUTHORIZED", "authentication required", Www_Authenticate='Basic realm="x"')
        if path == "/token" and strict and given.startswith("Basic"):
            return self.reply(401, b'{"details": "incorrect username or password"}')
        if path != "/token" and strict and not given.startswith("Bearer"):
            return self.error(401, "UNAUTHORIZED", "authentication required",
                Www_Authenticate=f'Bearer realm="https://{self.headers["Host"]}/token",service="x"')
        if path == "/token":
            return self.reply(200, b'{"token": "made-up", "access_token": "made-up", "expires_in": 300}')
        if path in ("/v2/", "/v2"):
            return self.reply(200, b"{}")
        first = path.split("/")[2] if path.count("/") > 2 else ""
        if first == "limited":
            return self.error(429, *LIMIT)
        if first == "bitnamilegacy":
            first = "old"
        if first == "private" and self.headers.get("Authorization", "").startswith("Basic"):
            first = "old"
        if first == "private":
            realm = f'Bearer realm="{"https" if cert else "http"}://{self.headers["Host"]}/token",service="x",scope="repository:private/app:pull"'
            if "Authorization" in self.headers:
                return self.error(401, "DENIED", "requested access to the resource is denied", Www_Authenticate=realm)
            return self.error(401, "UNAUTHORIZED", "authentication required", Www_Authenticate=realm)
        if first == "portal":
            return self.reply(403, b"<html>Log in to the guest network</html>", "text/html")
        if first == "ancient":
            old = b'{"schemaVersion": 1, "name": "ancient/app", "tag": "1", "architecture": "amd64", "fsLayers": [], "history": []}'
            return self.reply(200, old, "application/vnd.docker.distribution.manifest.v1+prettyjws", Docker_Content_Digest=digest(old))
        if first == "broken":
            return self.reply(503, b"down for maintenance", "text/plain")
        if "/blobs/" in path and first == "stored":
            return self.reply(307, Location=f"http://{host}:5998/data?key=made-up")
        if "/blobs/" in path and first in CONTENTS:
            blob = image(first)[1][path.rpartition("/")[2]]
            if first == "cut" and not blob.startswith(b"{"):
                blob = blob[:-20] + bytes(20)
            if first == "slow" and not blob.startswith(b"{"):
                self.send_response(200)
                self.send_header("Content-Length", str(len(blob)))
                self.end_headers()
                self.wfile.write(blob[:len(blob) // 2])
                time.sleep(3600)
            return self.reply(200, blob, "application/octet-stream")
        if first == "arm":
            return self.reply(200, index, LIST, Docker_Content_Digest=digest(index))
        if first in CONTENTS:
            body = image(first)[0]
            return self.reply(200, body, V2, Docker_Content_Digest=digest(body))
        self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
    def do_HEAD(self):
        if "/blobs/" in self.path and self.path.split("/")[2] not in CONTENTS:
            return self.reply(404)
        self.do_GET()
    def do_POST(self):
        self.reply(202, Location=self.path.rstrip("/") + "/17", Docker_Upload_UUID="17", Range="0-0")
    def do_PATCH(self):
        self.close_connection = True
        page = b"<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>nginx</body>\r\n</html>"
        self.reply(413, page, "text/html")

server = http.server.ThreadingHTTPServer((host, port), Handler)
if cert:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert)
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def start(
    box: Box, port: int = 5000, *, tls: bool = False, strict: bool = False, basic: bool = False
) -> str:
    """Serve on the provider's web address; returns host:port.

    With TLS the certificate is signed by itself, for its address and Docker Hub's names. A strict
    one gives its token to nobody who sends a login, as Docker Hub does with one that is wrong. A
    basic one wants a name and a password, of any kind, with each request.
    """
    cert = _certificate(box) if tls else ""
    # The provider has a /tmp of its own, where a virtual environment may lie.
    words = [os.path.realpath(sys.executable), "-c", _SERVER, WEB, str(port), cert]
    box.provider.spawn([*words, *(["strict"] if strict else []), *(["basic"] if basic else [])])
    url = f"{'https' if tls else 'http'}://{WEB}:{port}/v2/"

    def answers() -> bool:
        return box.provider.run(["curl", "-sk", url], check=False).returncode == 0

    poll(answers, 20, "the registry to answer")
    return f"{WEB}:{port}"


def _certificate(box: Box) -> str:
    names = ",".join(("IP:" + WEB, *("DNS:" + name for name in HUB)))
    box.provider.sh(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=registry.lab.test "
        f"-addext subjectAltName={names} -keyout /run/key.pem -out /run/cert.pem 2>/dev/null; cat /run/key.pem >>/run/cert.pem"
    )
    return "/run/cert.pem"


def start_hub(box: Box, *, strict: bool = False) -> None:
    """Be Docker Hub for the box: its names, port 443, and a certificate that the box trusts.

    Before the engine
    starts."""
    start(box, 443, tls=True, strict=strict)
    box.provider.dns_stop()
    box.provider.dns_start(*(f"--address=/{name}/{WEB}" for name in HUB))
    trusted = box.provider.sh("openssl x509 -in /run/cert.pem")
    store = "/etc/ssl/certs/ca-certificates.crt"
    box.write(store, box.read(store) + trusted)


def pull(box: Box, reference: str) -> str:
    """Pull, and give what the engine said when it refused."""
    done = box.docker("pull", "-q", reference, check=False, timeout=60)
    assert done.returncode != 0, f"{reference} was pulled"
    return done.stderr
