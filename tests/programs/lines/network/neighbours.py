"""Lines of real logs for the rows of `diagnose/programs/failures/network/neighbours.py`."""

from __future__ import annotations

LINES = {
    "loopback-upstream": (
        "2026/12/01 09:54:33 [error] 11#11: *1 connect() failed (111: Connection refused) while connecting to upstream, "
        'client: 192.0.2.1, server: , request: "GET / HTTP/1.1", upstream: "http://127.0.0.1:3000/", host: "shop"'
    ),
    "mosquitto-local": (
        "1703000000: Starting in local only mode. Connections will only be possible from clients running on "
        "this machine."
    ),
    "nginx-upstream-plain": (
        "2026/11/27 18:33:08 [error] 7#7: *1 SSL_do_handshake() failed (SSL: error:0A00010B:SSL "
        "routines::wrong version number) while SSL handshaking to upstream, client: 192.0.2.1, "
        'server: , request: "GET / HTTP/1.1", upstream: "https://172.18.0.2:8080/", host: "192.0.2.10"'
    ),
    "proxy-untrusted": (
        "2026-11-27 12:36:57.382 ERROR (MainThread) [homeassistant.components.http.forwarded] A request "
        "from a reverse proxy was received from 172.26.0.2, but your HTTP integration is not set-up for "
        "reverse proxies"
    ),
    "loopback-refused": "Error: connect ECONNREFUSED 127.0.0.1:3306",
    "loopback-unreached": "[31/07/22 12:00:00] [plex error]: couldnt reach local plex server at: http://localhost:32400 to determine library sections.",
    "loopback-kafka": "[Consumer clientId=c1] Connection to node 1 (localhost/127.0.0.1:9092) could not be established. Node may not be available.",
    "loopback-without-ipv6": "kombu.exceptions.OperationalError: Error 99 connecting to localhost:6379. Cannot assign requested address.",
    "loopback-postgres": 'connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused',
    "mysql-socket-unserved": "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/run/mysqld/mysqld.sock' (111)",
    "mysql-socket": "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/run/mysqld/mysqld.sock' (2)",
    "php-mysql-socket": "PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] No such file or directory",
    "nginx-hosts-file-unread": "2019/12/15 19:47:17 [error] 998#998: *368 host.docker.internal could not be resolved (3: Host not found), client: 192.168.16.1",
    "host-gateway": "Error: getaddrinfo ENOTFOUND host.docker.internal",
    "api-too-new": "client version 1.44 is too new. Maximum supported API version is 1.41",
    "api-too-old": "client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client",
    "nginx-upstream": 'nginx: [emerg] host not found in upstream "orders" in /etc/nginx/conf.d/default.conf:31',
    "certificate-time": "x509: certificate has expired or is not yet valid: current time 1970-01-01T00:00:09Z is before 2025",
    "docker-socket": "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
    "rabbit-alarm": (
        "2024-01-05 10:00:00.000000+00:00 [warning] <0.400.0> disk resource limit alarm set on node rabbit@mq."
    ),
    "loopback-bootstrap": "[Consumer clientId=consumer-1] Connection to node -1 (localhost/127.0.0.1:9092) could not be established. Broker may not be available.",
    "mysql-at-localhost": "django.db.utils.OperationalError: (2003, \"Can't connect to MySQL server on '127.0.0.1' (111)\")",
}
