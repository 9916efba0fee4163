"""Lines of real logs for the rows of `diagnose/programs/failures/host/files.py`."""

from __future__ import annotations

LINES = {
    "shell-without-c": "/bin/sh: 0: cannot open mariadbd: No such file",
    "module-node": "Error: Cannot find module '/app/src/index.js'",
    "python-home": "ModuleNotFoundError: No module named 'encodings'",
    "module-python": "ModuleNotFoundError: No module named 'flask_cors'",
    "r-package": "Error in library(shinythemes) :; there is no package called ‘shinythemes’",
    "script-package": "lua: main.lua:1: module 'cjson' not found:",
    "gem-missing": "Could not find rack-2.2.8 in locally installed gems (Bundler::GemNotFound)",
    "config-is-folder": "read /etc/prometheus/prometheus.yml: is a directory",
    "erlang-cookie": "Error when reading /var/lib/rabbitmq/.erlang.cookie: eacces",
    "erlang-node-name": 'ERROR: node with name "rabbit" already running on "5f2b" (duplicate_node)',
    "semaphores-used-up": "FATAL:  could not create semaphores: No space left on device",
    "disk-full-postgres": 'PANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on device',
    "port-inside": "dnsmasq: failed to create listening socket for port 53: Address already in use",
    "listener-taken": (
        '"msg":"Error setting up listener","attr":{"error":{"code":9001,"codeName":"SocketException",'
        '"errmsg":"Address already in use"}}'
    ),
    "zookeeper-myid": "Caused by: java.lang.IllegalArgumentException: myid file is missing",
    "rename-from-tmp": "OSError: [Errno 18] Invalid cross-device link: '/tmp/tmpcyfh_vf6' -> '/data/cover.jpg'",
    "rename-across-layers": "OSError: [Errno 18] Invalid cross-device link: '/srv/app/cache' -> '/srv/app/cache.old'",
    "rename-across-layers-go": "rename /app/data /app/data.old: invalid cross-device link",
    "acme-rate-limit": "Error creating new order :: too many certificates (5) already issued for this exact set of domains",
    "erlang-cookie-short": '{failed_to_start_child,auth,{"Too short cookie string",[{auth,init_cookie,0,[]}]}}',
    "erlang-epmd": "ERROR: epmd error for host localhost: address (cannot connect to host/port)",
    "laravel-views": "Please provide a valid cache path.",
}
