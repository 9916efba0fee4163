"""Sites that a real nginx does not read, certificates that clients refuse, and healthy twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.untold_programs import browse, site_of

SITE_UNREAD = "container.site-unread"
UNFIT = "container.certificate-unfit"
_TLS = (
    "listen 443 ssl; server_name {name}; ssl_certificate /certs/{file}; "
    "ssl_certificate_key /certs/key.pem; location / {{ return 200 hi; }}"
)
_DEFAULT = "listen 80 default_server; location / { return 404; }"


def _shop(box: Box, number: int, place: str) -> str:
    """nginx that includes conf.d/*.conf, with a site mounted at this place; its page's status."""
    site = f"server {{ listen 80; server_name shop{number}.test; location / {{ return 200 shop; }} }}\n"
    box.write(f"/srv/site{number}/shop.conf", site)
    mount = f"/srv/site{number}/shop.conf:{place}:ro"
    options = ("-p", f"{8000 + number}:80", "-v", mount)
    included = "include /etc/nginx/conf.d/*.conf;"
    site_of(box, f"www{number}", _DEFAULT, *options, included=included)
    box.wait_for(lambda: _status(box, number) != "000", what="nginx")
    return _status(box, number)


def _status(box: Box, number: int) -> str:
    host = f"Host: shop{number}.test"
    return browse(box, f"http://{BOX_ADDRESS}:{8000 + number}/", "-H", host)


@fault(SITE_UNREAD, subject="container:www61", shareable=True)
def site_in_a_folder_that_nginx_does_not_include(box: Box) -> None:
    """A site is mounted into sites-enabled, as on Debian, and the image includes conf.d alone."""
    place = "/etc/nginx/sites-enabled/shop.conf"
    assert _shop(box, 61, place) == "404"
    typed(box, first_command(box, SITE_UNREAD, "www61"))
    box.wait_for(lambda: _status(box, 61) == "200", what="the site after the command")
    box.docker("rm", "-f", "www61")
    assert _shop(box, 61, place) == "404"


@healthy(shareable=True)
def site_in_the_folder_that_nginx_includes(box: Box) -> None:
    """The same site in conf.d."""
    assert _shop(box, 62, "/etc/nginx/conf.d/shop.conf") == "200"


_AUTHORITIES = """
new="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
openssl req -x509 $new -days 300 -subj '/CN=Lab Root' -keyout root.key -out root.pem
openssl req $new -subj '/CN=Lab R10' -keyout r10.key -out r10.csr
echo basicConstraints=critical,CA:TRUE >ca.ext
openssl x509 -req -in r10.csr -CA root.pem -CAkey root.key -CAcreateserial -days 200 -extfile ca.ext -out chain.pem
openssl req $new -subj '/CN=shop.test' -keyout key.pem -out shop.csr
echo subjectAltName=DNS:shop.test,DNS:*.shop.test >shop.ext
openssl x509 -req -in shop.csr -CA chain.pem -CAkey r10.key -CAcreateserial -days 80 -extfile shop.ext -out cert.pem
cat cert.pem chain.pem >fullchain.pem
chmod 644 key.pem
"""


def _certified(box: Box, number: int, file: str, name: str) -> bool:
    """nginx with this file of a folder as certbot makes it; whether a client accepts it."""
    box.sh(f"mkdir -p /srv/le{number} && cd /srv/le{number} && {{ {_AUTHORITIES} }} 2>/dev/null")
    site = _TLS.format(name=name, file=file)
    options = ("-p", f"{8400 + number}:443", "-v", f"/srv/le{number}:/certs:ro")
    site_of(box, f"tls{number}", site, *options)
    ask = (
        f"curl -s -m 5 --noproxy '*' --cacert /srv/le{number}/root.pem --resolve {name}:443:127.0.0.1 "
        f"--connect-to {name}:443:127.0.0.1:{8400 + number} https://{name}/ || true"
    )
    box.wait_for(lambda: box.sh(f"ss -lnt 'sport = :{8400 + number}' | tail -n +2"), what="nginx")
    return "hi" in box.sh(ask)


@fault(UNFIT, subject="container:tls61", shareable=True)
def certificate_without_its_chain(box: Box) -> None:
    """nginx was given cert.pem of certbot's folder, and fullchain.pem lies beside it."""
    assert not _certified(box, 61, "cert.pem", "shop.test")


@healthy(shareable=True)
def certificate_with_its_chain(box: Box) -> None:
    """The same with fullchain.pem, for a name that its wildcard takes."""
    assert _certified(box, 62, "fullchain.pem", "www.shop.test")
