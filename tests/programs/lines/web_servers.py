"""Lines of real logs for the rows of `diagnose/programs/failures/web_servers.py`."""

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
    "fastcgi-script": (
        '2026/11/28 04:55:30 [error] 7#7: *1 FastCGI sent in stderr: "Primary script unknown" while '
        'reading response header from upstream, client: 192.0.2.1, server: , request: "GET /index.php '
        'HTTP/1.1", upstream: "fastcgi://172.18.0.2:9000", host: "192.0.2.10"'
    ),
    "proxy-header-missing": (
        '2021/11/23 06:59:03 [error] 1415326#1415326: *268274 broken header: "GET / HTTP/1.1'
    ),
    "proxy-header-unexpected": (
        '172.18.0.2 - - [29/Nov/2026:10:30:58 +0000] "PROXY TCP4 192.0.2.1 172.18.0.3 51034 80" 400 150 "-" "-"'
    ),
    "apache-mpm": "AH00534: apache2: Configuration error: More than one MPM loaded.",
    "nginx-certificate": (
        'nginx: [emerg] cannot load certificate "/etc/letsencrypt/live/npm-72/fullchain.pem": BIO_new_file() '
        "failed (SSL: error:02001002:system library:fopen:No such file or directory)"
    ),
    "nginx-directive": 'nginx: [emerg] unknown directive "proxy_passs" in /etc/nginx/conf.d/default.conf:12',
    "php-fpm-user": "[02-Jan-2026 10:00:00] ERROR: [pool www] cannot get uid for user 'nginx'",
    "supervisor-gave-up": "INFO gave up: app entered FATAL state, too many start retries too quickly",
    "address-not-there": "listen tcp 10.1.2.3:9090: bind: cannot assign requested address",
    "nginx-header": (
        "2021/12/11 15:49:26 [error] 657#657: *369 upstream sent too big header while reading response header "
        'from upstream, client: 10.0.0.2, server: , request: "POST /login HTTP/1.1", upstream: '
        '"fastcgi://unix:/var/run/php-fpm/php-fpm7.sock:"'
    ),
    "gunicorn-timeout": "[2026-05-01 10:00:30 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:7)",
    "grafana-default": (
        "Datasource provisioning error: datasource.yaml config is invalid. Only one datasource per "
        "organization can be marked as default"
    ),
    "celery-unregistered": (
        "[2026-05-01 10:00:00,123: ERROR/MainProcess] Received unregistered task of type 'a.b'."
    ),
    "laravel-key": "production.ERROR: No application encryption key has been specified. {",
    "nginx-engine-resolver": (
        "2026/11/29 21:30:33 [error] 6#6: send() failed (111: Connection refused) while resolving, "
        "resolver: 127.0.0.11:53"
    ),
    "nginx-zoned-resolver": (
        'nginx: [emerg] invalid IPv6 address in resolver "[fe80::6664:4aff:fe9a:3cb1%br0]" in '
        "/etc/nginx/conf.d/include/resolvers.conf:1"
    ),
    "nginx-block": (
        'nginx: [emerg] "server" directive is not allowed here in /etc/nginx/nginx.conf:1'
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
    "php-fpm-children": (
        "[12-Apr-2019 18:55:47] WARNING: [pool www] server reached pm.max_children setting (5), consider "
        "raising it"
    ),
    "nginx-upload": (
        "2016/02/29 10:00:00 [error] 26#26: *1 client intended to send too large body: 2097152 bytes"
    ),
    "nginx-upstream-slow": (
        "2026/11/28 04:57:05 [error] 7#7: *3 upstream timed out (110: Connection timed out) while reading "
        'response header from upstream, client: 192.0.2.1, server: , request: "GET /report?month=11 '
        'HTTP/1.1", upstream: "http://172.18.0.2:8080/report?month=11", host: "reports.example"'
    ),
    "plain-to-tls": (
        "2026/11/28 04:56:34 http: TLS handshake error from 172.18.0.3:50334: client sent an HTTP request "
        "to an HTTPS server"
    ),
    "nginx-connections": "2026/01/02 10:00:00 [alert] 22#22: 1024 worker_connections are not enough",
    "nginx-user": 'nginx: [emerg] getpwnam("www-data") failed in /etc/nginx/nginx.conf:1',
    "nginx-url-prefix": "nginx: [emerg] invalid URL prefix in /etc/nginx/conf.d/default.conf:18",
    "apache-terminal": "[Sat Nov 05 18:56:21.887215 2022] [mpm_prefork:notice] [pid 1] AH00170: caught SIGWINCH, shutting down gracefully",
    "nginx-stream-inside": (
        'nginx: [emerg] "stream" directive is not allowed here in /etc/nginx/conf.d/stream.conf:3'
    ),
    "supervisor-background": "INFO exited: nslcd (exit status 0; not expected)",
}
