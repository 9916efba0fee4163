"""Lines of real logs for the rows of `diagnose/programs/failures/network/web_servers.py`."""

from __future__ import annotations

LINES = {
    "traefik-reference": (
        '2026-07-01T10:10:12Z ERR error="middleware \\"auth@docker\\" does not exist" '
        "entryPointName=websecure routerName=shop@docker"
    ),
    "traefik-resolver": (
        "2026-07-01T10:10:12Z ERR Router uses a nonexistent certificate resolver "
        "certificateResolver=le routerName=shop@docker"
    ),
    "traefik-entry-point": (
        '2026-07-01T10:10:12Z ERR error="EntryPoint doesn\'t exist" entryPointName=web2 routerName=shop@docker'
    ),
    "proxy-header-missing": (
        '2021/11/23 06:59:03 [error] 1415326#1415326: *268274 broken header: "GET / HTTP/1.1'
    ),
    "proxy-header-unexpected": (
        '172.18.0.2 - - [29/Nov/2026:10:30:58 +0000] "PROXY TCP4 192.0.2.1 172.18.0.3 51034 80" 400 150 "-" "-"'
    ),
    "apache-mpm": "AH00534: apache2: Configuration error: More than one MPM loaded.",
    "address-not-there": "listen tcp 10.1.2.3:9090: bind: cannot assign requested address",
    "grafana-default": (
        "Datasource provisioning error: datasource.yaml config is invalid. Only one datasource per "
        "organization can be marked as default"
    ),
    "laravel-key": "production.ERROR: No application encryption key has been specified. {",
    "acme-authorizations-invalid": (
        "2016-02-22 20:02:45,132:ERROR:simp_le:1421: CA marked some of the authorizations as invalid, which likely "
        "means it could not access http://example.com/.well-known/acme-challenge/X."
    ),
    "acme-unreached": (
        "HTTP 400 urn:ietf:params:acme:error:connection - 203.0.113.7: Fetching "
        "http://shop.example.com/.well-known/acme-challenge/x1Yq: Timeout during connect (likely "
        "firewall problem)"
    ),
    "acme-refused": (
        "HTTP 400 urn:ietf:params:acme:error:connection - 203.0.113.7: Fetching "
        "http://shop.example.com/.well-known/acme-challenge/x1Yq: Connection refused"
    ),
    "plain-to-tls": (
        "2026/11/28 04:56:34 http: TLS handshake error from 172.18.0.3:50334: client sent an HTTP request "
        "to an HTTPS server"
    ),
    "apache-terminal": "[Sat Nov 05 18:56:21.887215 2022] [mpm_prefork:notice] [pid 1] AH00170: caught SIGWINCH, shutting down gracefully",
    "nextcloud-host": 'Trusted domain error. "172.18.0.1" tried to access using "cloud.example.com" as host.',
}
