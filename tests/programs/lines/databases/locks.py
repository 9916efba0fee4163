"""Lines of real logs for the rows of `diagnose/programs/failures/databases/locks.py`."""

from __future__ import annotations

LINES = {
    "pid-file-kept": "rm: cannot remove '/opt/bitnami/redis/tmp/redis.pid': Permission denied",
    "liquibase-waits": "INFO 1 --- [main] l.lockservice.StandardLockService : Waiting for changelog lock....",
    "postfix-pid": "postfix/postfix-script: fatal: the Postfix mail system is already running",
    "portainer-lock": "main.go:98 > failed opening store | error=timeout",
    "mysql-socket-lock": (
        "[ERROR] Unix socket lock file is empty /var/run/mysqld/mysqld.sock.lock."
    ),
    "mongo-socket": "Failed to unlink socket file: /tmp/mongodb-27017.sock: Operation not permitted",
    "socket-taken": "Error: listen EADDRINUSE: address already in use /tmp/tsx-0/34.pipe",
    "socket-link": (
        "chown: changing ownership of '/var/lib/mysql/mysql.sock': No such file or directory"
    ),
    "zookeeper-session": (
        "[2018-08-28 05:47:34,119] ERROR Error while creating ephemeral at /brokers/ids/1001, node already "
        "exists and owner '1006' does not match current session '1007' (kafka.zk.KafkaZkClient)"
    ),
    "innodb-lock": "[ERROR] InnoDB: Unable to lock ./ibdata1 error: 11",
    "postgres-lock": 'FATAL:  lock file "postmaster.pid" already exists',
    "mongo-lock": "DBPathInUse: Unable to lock the lock file: /data/db/mongod.lock (Resource temporarily unavailable).",
    "elasticsearch-lock": "java.lang.IllegalStateException: failed to obtain node locks, tried [/usr/share/elasticsearch/data]",
    "neo4j-lock": "FileLockException: Lock file has been locked by another process: /data/databases/store_lock.",
    "logstash-lock": "Logstash could not be started because there is already another instance using the configured data directory.",
    "rocksdb-lock": "IO error: While lock file: /cockroach/cockroach-data/LOCK: Resource temporarily unavailable",
    "prometheus-lock": 'err="opening storage failed: lock DB directory: resource temporarily unavailable"',
    "kafka-lock": "KafkaException: Failed to acquire lock on file .lock in /var/lib/kafka/data. A Kafka instance is already running.",
    "lucene-lock": "LockObtainFailedException: Lock held by this virtual machine: /var/solr/data/shop/data/index/write.lock",
    "sqlite-locked": "sqlite3.OperationalError: database is locked",
    "browser-profile": "The profile appears to be in use by another Chromium process (31) on another computer (5f2b).",
    "rails-pid": "A server is already running (pid: 10, file: /app/tmp/pids/server.pid).",
    "unicorn-pid": (
        "http_server.rb:195:in `pid=': Already running on PID:601 "
        "(or pid=/home/git/gitlab/tmp/pids/unicorn.pid is stale) (ArgumentError)"
    ),
    "apache-pid": "httpd (pid 7) already running",
    "pidfile-exists": "ERROR: Pidfile (/app/celerybeat.pid) already exists.",
    "dockerd-pid": "failed to start daemon, ensure docker is not running: process with PID 7 is still running",
    "squid-pid": "FATAL: Squid is already running! Process ID 12",
    "postgres-pid-empty": 'FATAL:  lock file "postmaster.pid" is empty',
    "display-lock": "\tIf this server is no longer running, remove /tmp/.X99-lock",
    "running-already": "Fatal: Dovecot is already running with PID 7 (read from /run/dovecot/master.pid)",
    "minecraft-lock": "net.minecraft.util.DirectoryLock$LockException: /data/./world/session.lock: already locked (possibly by other Minecraft instance?)",
    "restic-lock": "unable to create lock in backend: repository is already locked by PID 12 on backup1 by root (UID 0, GID 0)",
    "mysql-socket-taken": "2024-08-28T10:24:21.895384Z 0 [ERROR] [MY-010259] [Server] Another process with pid 60 is using unix socket file.",
    "pid-of-another": "2021-02-27 05:02:55 [12] (30) Process with PID 12 already running - exiting",
    "another-run-counts": "2025-03-24 10:11:12.000 UTC [54M] CRIT: pihole-FTL is already running (PID 49)!",
}
