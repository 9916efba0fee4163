"""Lines of real logs for the rows of `diagnose/programs/failures/network/nginx.py`."""

from __future__ import annotations

LINES = {
    "fastcgi-script": (
        '2026/11/28 04:55:30 [error] 7#7: *1 FastCGI sent in stderr: "Primary script unknown" while '
        'reading response header from upstream, client: 192.0.2.1, server: , request: "GET /index.php '
        'HTTP/1.1", upstream: "fastcgi://172.18.0.2:9000", host: "192.0.2.10"'
    ),
    "nginx-certificate": (
        'nginx: [emerg] cannot load certificate "/etc/letsencrypt/live/npm-72/fullchain.pem": BIO_new_file() '
        "failed (SSL: error:02001002:system library:fopen:No such file or directory)"
    ),
    "nginx-directive": 'nginx: [emerg] unknown directive "proxy_passs" in /etc/nginx/conf.d/default.conf:12',
    "nginx-header": (
        "2021/12/11 15:49:26 [error] 657#657: *369 upstream sent too big header while reading response header "
        'from upstream, client: 10.0.0.2, server: , request: "POST /login HTTP/1.1", upstream: '
        '"fastcgi://unix:/var/run/php-fpm/php-fpm7.sock:"'
    ),
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
    "nginx-upload": (
        "2016/02/29 10:00:00 [error] 26#26: *1 client intended to send too large body: 2097152 bytes"
    ),
    "upload-refused": "requests.exceptions.HTTPError: 413 Request Entity Too Large for url: https://shop.test/upload",
    "nginx-upstream-slow": (
        "2026/11/28 04:57:05 [error] 7#7: *3 upstream timed out (110: Connection timed out) while reading "
        'response header from upstream, client: 192.0.2.1, server: , request: "GET /report?month=11 '
        'HTTP/1.1", upstream: "http://172.18.0.2:8080/report?month=11", host: "reports.example"'
    ),
    "nginx-answer-cut": (
        "2026/12/01 21:26:52 [error] 9#9: *11 upstream prematurely closed connection while reading upstream, "
        'client: 192.0.2.1, server: share.lab.test, request: "GET /backup.iso HTTP/1.1", upstream: '
        '"http://172.18.0.2:9090/backup.iso", host: "share.lab.test"'
    ),
    "nginx-connections": "2026/01/02 10:00:00 [alert] 22#22: 1024 worker_connections are not enough",
    "nginx-user": 'nginx: [emerg] getpwnam("www-data") failed in /etc/nginx/nginx.conf:1',
    "nginx-url-prefix": "nginx: [emerg] invalid URL prefix in /etc/nginx/conf.d/default.conf:18",
    "nginx-stream-inside": (
        'nginx: [emerg] "stream" directive is not allowed here in /etc/nginx/conf.d/stream.conf:3'
    ),
}
