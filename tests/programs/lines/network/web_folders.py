"""Lines of real logs for the rows of `diagnose/programs/failures/network/web_folders.py`."""

from __future__ import annotations

LINES = {
    "nginx-no-index": (
        '[error] 5#5: *1 directory index of "/var/www/html/" is forbidden, client: 172.18.0.1'
    ),
    "nginx-folder-closed": (
        '2026/11/30 01:21:04 [error] 7#7: *11 "/site/index.html" is forbidden (13: Permission denied), '
        'client: 172.17.0.1, server: , request: "GET / HTTP/1.1", host: "localhost:8605"'
    ),
    "apache-no-index": (
        "[Mon Nov 30 01:00:00.123456 2026] [autoindex:error] [pid 9:tid 12] [client 172.17.0.1:43210] "
        "AH01276: Cannot serve directory /var/www/html/: No matching DirectoryIndex "
        "(index.php,index.html) found, and server-generated directory index forbidden by Options "
        "directive"
    ),
    "apache-folder-closed": (
        "[Mon Nov 30 01:00:00.123456 2026] [core:error] [pid 9:tid 12] (13)Permission denied: [client "
        "172.17.0.1:43210] AH00035: access to / denied (filesystem path '/var/www/html/index.html') "
        "because search permissions are missing on a component of the path"
    ),
}
