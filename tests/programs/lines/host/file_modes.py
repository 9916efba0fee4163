"""Lines of real logs for the rows of `diagnose/programs/failures/host/file_modes.py`."""

from __future__ import annotations

LINES = {
    "key-of-others": "opendkim: /etc/opendkim.conf: /etc/dkimkeys/mail.private can be read or written by other users",
    "script-bom": "/srv/app/entrypoint.sh: 1: \ufeff#!/bin/sh: not found",
    "configuration-bom": '[emerg] 42#42: unknown directive "\ufeffuser" in /etc/nginx/nginx.conf:1',
    "logrotate-folder-open": 'error: skipping "/data/a.log" because parent directory has insecure permissions',
    "postgres-mode": 'FATAL:  data directory "/var/lib/postgresql/data" has invalid permissions',
    "postgres-owner": 'FATAL:  data directory "/var/lib/postgresql/data" has wrong ownership',
    "postgres-key": 'FATAL:  private key file "/certs/server.key" has group or world access',
    "key-too-open": "unable to get ACME account: permissions 644 for /acme.json are too open, please use 600",
    "mongo-keyfile": '{"msg":"Error", "error":"permissions on /etc/mongo.key are too open"}',
    "beats-mode": (
        'Exiting: error loading config file: config file ("filebeat.yml") can only be writable by the owner '
        'but the permissions are "-rw-rw-r--"'
    ),
    "beats-owner": (
        'Exiting: error loading config file: config file ("filebeat.yml") must be owned by the user '
        "identifier (uid=0) or root"
    ),
    "erlang-cookie-mode": "[error] Cookie file /var/lib/rabbitmq/.erlang.cookie must be accessible by owner only",
    "mysql-world-writable": "[Warning] World-writable config file '/etc/mysql/conf.d/my.cnf' is ignored",
}
