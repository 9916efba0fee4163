"""Pulls that a registry, a proxy or a login refuses."""

from __future__ import annotations

import base64
import os
import sys

from tests.lab import Box, fault, healthy, registry
from tests.lab.programs import install_compose
from tests.lab.provider import WEB
from tests.lab.scenarios.image.helpers import QUIET, refuse


@fault(
    "image.pull-rate-limited",
    subject="daemon:docker",
    expect=[("image.registry-unreachable", "daemon:docker")],
    engine_started=False,
    first_command=("heals", "an account has its own count"),
)
def hub_counts_pulls(box: Box) -> None:
    """Docker Hub answers 429: its limit for pulls is reached, since the mirror that would spare it
    does not run."""
    registry.start_hub(box)
    mirror = f"http://{WEB}:5999"
    box.start_engine(config={**QUIET, "registry-mirrors": [mirror]})
    refuse(box, "limited/app", "toomanyrequests")
    findings = box.diagnose("check", "image.*", "--format", "json").findings
    said = {finding["id"]: finding["summary"] for finding in findings}
    assert f"mirror {WEB}:5999" in said["image.pull-rate-limited"], said
    assert "it is a mirror of registry-mirrors" in said["image.registry-unreachable"], said


@fault("image.registry-certs-misnamed", subject="daemon:docker", shareable=True)
def authority_with_the_ending_of_a_client(box: Box) -> None:
    """An authority's certificate for a registry is called ca.cert."""
    host = "registry.misnamed.test:5443"
    box.write(f"/etc/docker/certs.d/{host}/ca.cert", "made up\n")
    refuse(box, f"{host}/shop:1", "missing key ca.key")


@fault(
    "image.pull-denied",
    subject="daemon:docker",
    engine_started=False,
    first_command=("no", "the tag is wrong"),
)
def no_such_tag(box: Box) -> None:
    """Something pulls a tag that does not exist again and again; the daemon's log leaves its name
    out."""
    registry.start_hub(box)
    box.start_engine(config=QUIET)
    refuse(box, "nope/app:2", "manifest unknown", times=3)


_WITH_ETCD = """services:
  web:
    image: bb:1.36
    command: [sleep, "1000"]
  kv:
    image: bitnami/etcd:3.4.15
    command: [/busybox, sleep, "1000"]
    volumes: ["/bin/busybox:/busybox:ro"]
"""


@fault("image.pull-denied", subject="daemon:docker", engine_started=False)
def image_of_a_project_that_has_moved(box: Box) -> None:
    """`docker compose up` of a new project fails: the publisher has moved the tag of one image."""
    registry.start_hub(box)
    box.start_engine(config=QUIET)
    install_compose(box)
    box.image("bb:1.36")
    box.write("/srv/apisix83/docker-compose.yml", _WITH_ETCD)
    box.sh("cd /srv/apisix83 && docker compose up -d", check=False, timeout=60)
    report = box.diagnose("check", "image.pull-denied", "--format", "json")
    (finding,) = report.findings
    assert '"bitnami/etcd:3.4.15"' in finding["summary"], finding
    assert finding["fix"][0]["command"].startswith("docker pull bitnamilegacy/etcd:3.4.15")


@fault(
    "image.pull-denied",
    subject="daemon:docker",
    expect=[
        ("image.client-config-unreadable", "host:host"),
        ("image.registry-tls", "daemon:docker"),
    ],
    engine_started=False,
    first_command=("decides", "a login shows whether the account may pull"),
)
def no_right_to_an_image(box: Box) -> None:
    """A registry wants a login; the daemon's log does not say for which image. The docker command
    has lost its logins on a full disk. Another registry was named as insecure since the start."""
    host = registry.start(box)
    other = registry.start(box, 5001)
    box.write("/root/.docker/config.json", "")
    config = {**QUIET, "insecure-registries": [host]}
    box.start_engine(config=config)
    refuse(box, f"{host}/private/app", "unauthorized", "denied", times=3)
    box.write("/etc/docker/daemon.json", {**config, "insecure-registries": [host, other]})
    refuse(box, f"{other}/old/app:1", "server gave HTTP response to HTTPS client")
    findings = box.diagnose("check", "image.*", "--format", "json").findings
    fixes = {finding["id"]: finding["fix"] for finding in findings}
    assert fixes["image.registry-tls"][0]["command"] == f"kill -HUP {box.engine_pid}", fixes
    assert fixes["image.pull-denied"][0]["command"] == f"docker login {host}", fixes


def _log_in_wrongly(box: Box) -> None:
    """Store a mail address where Docker Hub wants the Docker ID, and see a public image refused."""
    registry.start_hub(box, strict=True)
    box.start_engine(config=QUIET)
    login = base64.b64encode(b"ann@example.com:made-up").decode()
    auths = {"https://index.docker.io/v1/": {"auth": login}}
    box.write("/root/.docker/config.json", {"auths": auths})
    refuse(box, "old/app:1", "incorrect username or password")


@fault("image.pull-denied", subject="image:old/app:1", engine_started=False)
def public_image_with_a_wrong_login(box: Box) -> None:
    """Docker Hub refuses a public image, since a wrong login is stored."""
    _log_in_wrongly(box)


@healthy(engine_started=False)
def public_image_after_the_logout(box: Box) -> None:
    """The command of the finding has pulled the image without the login, and removed that."""
    _log_in_wrongly(box)
    (finding,) = box.diagnose("check", "image.pull-denied", "--format", "json").findings
    box.sh(finding["fix"][0]["command"])
    assert "index.docker.io" not in box.sh("cat /root/.docker/config.json")


@fault("image.registry-unreachable", subject="daemon:docker", shareable=True)
def registry_is_down(box: Box) -> None:
    """Nobody listens where the registry should be."""
    refuse(box, f"{WEB}:5999/shop:1", "connection refused")


@fault("image.registry-unreachable", subject="daemon:docker")
def registry_has_no_address(box: Box) -> None:
    """The registry's name has no address."""
    refuse(box, "registry.nowhere.example/shop:1", "lookup registry.nowhere.example")


@fault(
    "image.registry-tls",
    subject="daemon:docker",
    shareable=True,
    first_command=("heals", "the next pull trusts the certificate"),
)
def registry_signed_by_itself(box: Box) -> None:
    """The registry's certificate is signed by nobody that the host knows."""
    host = registry.start(box, 5443, tls=True)
    refuse(box, f"{host}/old/app:1", "x509: certificate signed by unknown authority")


@fault("image.registry-tls", subject="daemon:docker", engine_started=False, exit_code=1)
def authority_that_came_later(box: Box) -> None:
    """The host was given the registry's authority after the engine had read its list."""
    host = registry.start(box, 5443, tls=True)
    box.start_engine(config=QUIET)
    refuse(box, f"{host}/old/app:1", "x509: certificate signed by unknown authority")
    store = "/etc/ssl/certs/ca-certificates.crt"
    box.write(store, box.read(store) + box.provider.sh("openssl x509 -in /run/cert.pem"))
    box.run(["curl", "-sS", f"https://{host}/v2/"])
    refuse(box, f"{host}/old/app:1", "x509: certificate signed by unknown authority")
    (finding,) = box.diagnose("check", "image.registry-tls", "--format", "json").findings
    assert "have changed since the engine started" in finding["summary"]


@fault("image.registry-tls", subject="daemon:docker", engine_started=False, exit_code=1)
def authority_that_is_not_in_the_list(box: Box) -> None:
    """Somebody has put the authority where the system takes it from, and not made the list."""
    host = registry.start(box, 5443, tls=True)
    box.start_engine(config=QUIET)
    anchor = "/usr/local/share/ca-certificates/corp-ca.crt"
    box.sh("mkdir -p /usr/local/share/ca-certificates")
    box.write(anchor, box.provider.sh("openssl x509 -in /run/cert.pem"))
    refuse(box, f"{host}/old/app:1", "x509: certificate signed by unknown authority")
    (finding,) = box.diagnose("check", "image.registry-tls", "--format", "json").findings
    assert f"{anchor} was added" in finding["summary"], finding
    assert finding["fix"][0]["command"].startswith("update-ca-certificates"), finding


@fault("image.registry-tls", subject="daemon:docker", shareable=True)
def registry_without_tls(box: Box) -> None:
    """The registry speaks plain HTTP and is not named as insecure."""
    refuse(box, f"{WEB}:80/shop:1", "server gave HTTP response to HTTPS client")


@fault(
    "image.registry-proxy",
    subject="daemon:docker",
    engine_env={"HTTPS_PROXY": f"http://{WEB}:3128"},
    first_command=(
        "decides",
        "it asks the registry without the proxy, and takes the proxy out where that works",
    ),
)
def proxy_is_down(box: Box) -> None:
    """The daemon was told to use a proxy that does not run."""
    refuse(box, "registry.lab.test/shop:1", "proxyconnect")
    (finding,) = box.diagnose("check", "image.registry-proxy", "--format", "json").findings
    assert f"the engine cannot reach its proxy http://{WEB}:3128" in finding["summary"], finding


@healthy(engine_started=False, advice=["security.insecure-registry"], baseline=False)
def pulls_that_were_made_good(box: Box) -> None:
    """Pulls that failed and worked later, an insecure registry whose first answer is not TLS, one
    slip of the pen."""
    host = f"{WEB}:5000"
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/old/app:1", "connection refused")
    assert registry.start(box) == host
    refuse(box, f"{host}/limited/app:1", "toomanyrequests")
    box.docker("pull", "-q", f"{host}/old/app:1")
    refuse(box, f"{host}/nope/app:7", "manifest unknown")
    box.docker("pull", "-q", f"{host}/old/app:1")


@fault("image.platform-mismatch", subject="daemon:docker", engine_started=False)
def tag_without_a_build_for_this_host(box: Box) -> None:
    """The newest build of a tag exists for another kind of processor only, and is pulled in vain
    again and again."""
    host = registry.start(box)
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/arm/app:1", "no matching manifest", times=3)


@fault("image.registry-unreachable", subject="daemon:docker", engine_started=False)
def web_page_in_place_of_a_registry(box: Box) -> None:
    """A portal that wants a login answers for the registry."""
    host = registry.start(box)
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/portal/app:1", "invalid character '<'", "<html>")


@fault("image.registry-unreachable", subject="daemon:docker", engine_started=False)
def server_of_the_layers_is_down(box: Box) -> None:
    """The registry answers, and sends the engine to another server for the layers."""
    host = registry.start(box)
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/stored/app:1", "connection refused")
    (finding,) = box.diagnose("check", "image.registry-unreachable", "--format", "json").findings
    assert f"{WEB}:5998" in finding["summary"], finding


@fault(
    "image.pull-denied", subject=f"image:{WEB}:5000/old/app:1", engine_started=False, exit_code=0
)
def login_of_another_user(box: Box) -> None:
    """Root is logged in at the registry, and the user who pulls is not."""
    host = registry.start(box, basic=True)
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    box.sh("groupadd --force docker; useradd --create-home --groups docker deploy")
    box.sh("chgrp docker /run/docker.sock; chmod 660 /run/docker.sock")
    box.docker("login", "--username=ci", "--password=made-up", host)
    refused = box.sh(f"su deploy -c 'docker pull {host}/old/app:1' 2>&1 || true")
    assert "no basic auth credentials" in refused, refused
    (finding,) = box.diagnose("check", "image.pull-denied", "--format", "json").findings
    assert 'user "root" has a login there, and it was not used' in finding["summary"], finding
    assert "users without one: deploy" in finding["summary"], finding


_ENDS_ALL = f"""
import socket
server = socket.create_server(("{WEB}", 5998))
while True:
    connection, _ = server.accept()
    connection.recv(4096)
    connection.close()
"""


@fault("image.registry-unreachable", subject="daemon:docker", engine_started=False)
def server_of_the_layers_ends_each_connection(box: Box) -> None:
    """A filter on the way lets the registry through, and not the server of its layers."""
    host = registry.start(box)
    box.provider.spawn([os.path.realpath(sys.executable), "-c", _ENDS_ALL])
    box.start_engine(config={**QUIET, "insecure-registries": [host]})
    refuse(box, f"{host}/stored/app:1", "EOF")
    (finding,) = box.diagnose("check", "image.registry-unreachable", "--format", "json").findings
    assert "was ended (EOF)" in finding["summary"], finding


def _certificate_of(box: Box, host: str) -> str:
    """The folder of a registry's own authority, which has the registry's certificate as a file."""
    box.write("/srv/registry.pem", box.provider.sh("openssl x509 -in /run/cert.pem"))
    folder = f"/etc/docker/certs.d/{host}"
    box.sh(f"mkdir -p {folder}")
    return folder


@fault("image.registry-tls", subject="daemon:docker", engine_started=False)
def authority_in_binary_form(box: Box) -> None:
    """A registry's authority lies where it belongs, in a form that the engine does not read."""
    host = registry.start(box, 5443, tls=True)
    folder = _certificate_of(box, host)
    box.sh(f"openssl x509 -in /srv/registry.pem -outform der -out {folder}/ca.crt")
    box.start_engine(config=QUIET)
    refuse(box, f"{host}/old/app:1", "signed by unknown authority")
    (finding,) = box.diagnose("check", "image.registry-tls", "--format", "json").findings
    assert f"{folder}/ca.crt holds a certificate in binary form (DER)" in finding["summary"]
    box.sh(finding["fix"][0]["command"])
    assert "unknown authority" not in registry.pull(box, f"{host}/nope/app:1")


@healthy(engine_started=False)
def authority_as_text(box: Box) -> None:
    """A registry's authority lies in its folder in the form of PEM, below some lines of text."""
    host = registry.start(box, 5443, tls=True)
    folder = _certificate_of(box, host)
    box.sh(f"openssl x509 -in /srv/registry.pem -text -out {folder}/ca.crt")
    box.start_engine(config=QUIET)
    box.docker("pull", "-q", f"{host}/old/app:1")
