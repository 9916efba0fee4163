"""Certificates of nginx of the host, which ends TLS for a container."""

import time

from tests.lab import Box, fault, healthy
from tests.lab.programs import install_server
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import GOOD
from tests.lab.scenarios.refusing_servers import certbot_files

_OF_THE_HOST = """
user root; pid /run/nginx.pid; error_log /var/log/nginx/error.log; events {{}}
http {{ access_log off; server {{ listen 8446 ssl; server_name shop.example.com;
ssl_certificate {0}/fullchain.pem; ssl_certificate_key {0}/privkey.pem;
location / {{ proxy_pass http://127.0.0.1:18446; }} }} }}
"""


def _served_by_the_host(box: Box, name: str, until: str) -> str:
    """nginx of the host ends TLS for a container; the folder of certificates."""
    install_server(box, "nginx")
    box.docker("run", "-d", f"--name={name}", *GOOD, "-p", "127.0.0.1:18446:8080", "shop:1.4")
    base = "/etc/letsencrypt"
    certbot_files(box, base, 1, "20250101000000Z", until)
    box.sh("mkdir -p /var/log/nginx /var/lib/nginx")
    box.write("/etc/nginx/nginx.conf", _OF_THE_HOST.format(f"{base}/live/shop.example.com"))
    box.sh("/usr/sbin/nginx")
    return base


def _renewed_on_the_host(box: Box, name: str) -> None:
    base = _served_by_the_host(box, name, "20250401000000Z")
    time.sleep(8)
    certbot_files(box, base, 2, "20260101000000Z", "20490101000000Z")


@fault("network.host-certificate-invalid", subject="container:front51")
def certificate_that_nginx_of_the_host_has_not_read(box: Box) -> None:
    """certbot of the host renewed a certificate, and nobody told nginx of the host."""
    _renewed_on_the_host(box, "front51")
    command = first_command(box, "network.host-certificate-invalid", "front51")
    assert command == "nginx -t && nginx -s reload", command


@healthy()
def certificate_that_nginx_of_the_host_has_read(box: Box) -> None:
    """The same, and the renewal has told nginx."""
    _renewed_on_the_host(box, "front52")
    box.sh("nginx -t && nginx -s reload")
    time.sleep(2)


@fault("network.host-certificate-invalid", subject="container:front61")
def certificate_of_the_host_that_has_expired(box: Box) -> None:
    """nginx of the host shows a certificate of the past, and its file has not been renewed."""
    _served_by_the_host(box, "front61", "20250401000000Z")
    command = first_command(box, "network.host-certificate-invalid", "front61")
    assert command == "certbot renew --cert-name shop.example.com && nginx -s reload", command


@healthy()
def certificate_of_the_host_that_is_valid(box: Box) -> None:
    """The same with a certificate that is valid for years."""
    _served_by_the_host(box, "front62", "20490101000000Z")
