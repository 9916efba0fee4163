"""Log lines of programs that fail inside a container while the container keeps running."""

import re

from diagnose.evidence.containers.logs.inner_pattern import Pattern
from diagnose.lazy_pattern import LazyPattern

_OF_SUPERVISORD = LazyPattern(
    r"\b(?:INFO|CRIT|WARN)\s+(?:spawned|spawnerr|exited|success|gave up|could not write pidfile|supervisord|Supervisor"
    r"|Included|RPC|Set uid|Server|reaped)"
)
"""INFO spawned: 'app' with pid 9"""
_OF_PM2 = LazyPattern(r"\bPM2\b")
MASTERLESS = "sentinel"
UNREACHED = "haproxy-unreached"
"""A server to which HAProxy cannot connect. That says little alone: a stand-by is down on purpose,
and a server that has ended has a finding of its own."""


PATTERNS = (
    Pattern(
        "supervisord",
        frozenset({"supervisord"}),
        failed=LazyPattern(r"gave up: (?P<program>\S+) entered FATAL state"),
        over=r"(?:success: {program} entered RUNNING|spawned: '{program}') ",
        cause='supervisord has given up program "{program}"',
        noise=_OF_SUPERVISORD,
    ),
    Pattern(
        "supervisord-again",
        frozenset({"supervisord"}),
        failed=LazyPattern(
            r"\bexited: (?P<program>[^\s(]{1,100}) \((?P<detail>exit status [1-9]\d{0,2}"
            r"|terminated by SIG\w{2,8})[^;)]{0,40}; not expected\)"
        ),
        over="gave up: {program} entered FATAL state",
        cause='program "{program}" of supervisord ends again and again ({detail})',
        noise=_OF_SUPERVISORD,
        recurs=True,
    ),
    Pattern(
        "gunicorn-again",
        frozenset({"gunicorn"}),
        failed=LazyPattern(
            r"\bWorker \((?P<program>)pid:\d{1,10}\) exited with code (?P<detail>[1-9]\d{0,2})\b"
        ),
        over="",
        cause="gunicorn's workers end again and again (exit code {detail})",
        noise=LazyPattern(
            r"\[(?:INFO|ERROR)\] (?:Worker|Booting|Control socket|Listening|Using|Starting)"
        ),
        recurs=True,
    ),
    Pattern(
        "s6",
        frozenset({"s6-svscan", "s6-rc"}),
        failed=LazyPattern(r"s6-rc: warning: unable to start service (?P<program>[^\s:]+)"),
        over=r"s6-rc: info: service {program} successfully started",
        cause='s6 could not start service "{program}"',
        noise=LazyPattern(r"^s6-"),
    ),
    Pattern(
        "s6-run",
        frozenset({"s6-svscan", "s6-supervise"}),
        failed=LazyPattern(
            r"s6-supervise (?P<program>(?!s6-)[\w.@-]{1,80}): (?:warning|fatal): unable to (?:spawn|exec) \S*run\b"
        ),
        over=r"s6-rc: info: service {program} successfully started",
        cause='s6 cannot start service "{program}" and tries again and again',
        noise=LazyPattern(r"^s6-supervise \S+: warning|^\["),
    ),
    Pattern(
        "pm2",
        frozenset({"PM2", "pm2", "pm2-runtime"}),
        failed=LazyPattern(r"PM2\b.{0,40}Script (?P<program>\S+) had too many unstable restarts"),
        over=r"PM2\b.{{0,40}}App \[[^\]]*\] online",
        cause='PM2 has given up script "{program}"',
        noise=_OF_PM2,
    ),
    Pattern(
        "pm2-again",
        frozenset({"PM2", "pm2", "pm2-runtime"}),
        failed=LazyPattern(
            r"PM2\b.{0,40}App \[(?P<program>[^\]:]{1,100}):\d{1,4}\] exited with code"
            r" \[(?P<detail>[1-9]\d{0,2})\]"
        ),
        over="had too many unstable restarts",
        cause='script "{program}" of PM2 ends again and again (exit code {detail})',
        noise=_OF_PM2,
        recurs=True,
    ),
    Pattern(
        "redis",
        frozenset({"redis-server", "valkey-server", "keydb-server"}),
        failed=LazyPattern(
            r"(?P<program>Failed opening the (?:temp )?RDB file|Write error (?:while )?saving DB"
            r"|Background saving error)"
        ),
        over=r"Background saving terminated with success|DB saved on disk|RDB: \d+ MB of memory",
        cause="Redis cannot save its data to disk, and refuses writes by default (MISCONF)",
        noise=LazyPattern(r"Background saving error|Background saving started|\. Saving\.\.\."),
    ),
    Pattern(
        MASTERLESS,
        frozenset({"redis-sentinel", "redis-server", "valkey-sentinel", "valkey-server"}),
        LazyPattern(r"\+sdown master (?P<program>\S{1,200}) (?P<detail>\S{1,253} \d{1,5})(?!\S)"),
        r"(?:-sdown master|\+switch-master|\+reset-master master) {program} ",
        'Sentinel has no master "{program}" for its clients',
        explanation="it gets no answer from {detail}",
        lasts=True,
        why=LazyPattern(r"-failover-abort-\S{1,40} master "),
    ),
    Pattern(
        "rabbitmq",
        frozenset({"beam.smp", "rabbitmq-server"}),
        LazyPattern(r"(?P<program>disk|memory) resource limit alarm set on node"),
        "{program} resource limit alarm cleared on node",
        "RabbitMQ blocks those who send it messages",
        explanation="its {program} alarm was set",
        lasts=True,
        why=LazyPattern(r"Free disk space is insufficient|vm_memory_high_watermark set"),
    ),
    Pattern(
        "etcd-space",
        frozenset({"etcd"}),
        LazyPattern(
            r"(?P<program>)(?:alarm raised\".{0,80}\"alarm\": ?\"NOSPACE|\balarm NOSPACE raised by peer"
            r"|etcdserver: mvcc: database space exceeded)"
        ),
        r"alarm disarmed|alarm NOSPACE disarmed",
        "etcd takes no more writes",
        explanation="its database has reached its quota, and its alarm NOSPACE is set",
        lasts=True,
    ),
    Pattern(
        "search-flood",
        frozenset({"elasticsearch", "eswrapper", "java", "opensearch"}),
        LazyPattern(
            r"(?P<program>)flood[- ]stage disk watermark \[[^\]]{1,40}\] exceeded on .{1,300}marked read-only"
        ),
        r"releasing read-only\b|\bhigh disk watermark \[[^\]]{{1,40}}\] no longer exceeded",
        "Elasticsearch or OpenSearch takes no more documents",
        explanation="the disk of its data is too full, and it has made its indices read-only",
        noise=LazyPattern(r"disk watermark"),
        lasts=True,
    ),
    Pattern(
        "mongo-member",
        frozenset({"mongod"}),
        LazyPattern(r"(?P<program>This node is not a member of the config)"),
        r'Transition to primary complete|"newState":"(?:PRIMARY|SECONDARY)"',
        "MongoDB takes no writes",
        explanation="its replica set knows it under another host name",
        lasts=True,
        why=LazyPattern(r"No host described in new configuration"),
        known_as=LazyPattern(
            r"""(?:\[ ?\{|\}, ?\{) ?"?_id"?: ?\d{1,3}, ?"?host"?: ?"(?P<name>[^"\s:]{1,253})"""
        ),
    ),
    Pattern(
        "mysql-replica",
        frozenset({"mariadbd", "mysqld"}),
        failed=LazyPattern(
            r"""
            (?P<program>)(?:
                  Error\ running\ query,\ (?:slave|replica)\ SQL\ thread\ aborted
                | \b(?:Slave|Replica)\ SQL\ for\ channel\ '.{0,80}':\ .{0,400}
                    Error_code:\ MY-\d{6}
                | \bSlave\ SQL:\ Error\ '.{0,400}Internal\ MariaDB\ error\ code
              )
            """,
            re.VERBOSE,
        ),
        over=r"(?:Slave|Replica) SQL thread (?:for channel '[^']*' )?initialized",
        cause="it shows old data",
        explanation="it is a replica, and the thread that applies the changes of its source has stopped",
        noise=LazyPattern(r"\[Note\]|\[System\]|SQL thread aborted"),
        lasts=True,
        why=LazyPattern(r"\[ERROR\].{0,60}\bSQL\b.{0,20}: (?:Error|Worker) "),
    ),
    Pattern(
        "portainer",
        frozenset({"portainer"}),
        failed=LazyPattern(r"(?P<program>instance timed out for security purposes)"),
        over="starting HTTPS? server",
        cause="Portainer serves nothing until it is restarted",
        explanation="nobody made its administrator within five minutes of its start",
        noise=LazyPattern(r"instance timed out for security purposes"),
        lasts=True,
    ),
    Pattern(
        "servarr",
        frozenset({"Lidarr", "Prowlarr", "Radarr", "Readarr", "Sonarr", "Whisparr"}),
        failed=LazyPattern(r"(?P<program>Non-recoverable failure, waiting for user intervention)"),
        over="Now listening on:",
        cause="its program has failed at its start, waits for a key at a terminal, and serves nothing",
        noise=LazyPattern(r"Non-recoverable failure|Press enter to exit"),
        lasts=True,
    ),
    Pattern(
        "wireguard",
        frozenset({"s6-svscan"}),
        failed=LazyPattern(r"\*{4} Tunnel (?P<program>\S{1,200}) failed, will stop all others"),
        over=r"\*{{4}} (?:Activating tunnel {program}|All tunnels are now active)",
        cause='its WireGuard tunnel "{program}" could not be set up, and it runs on without any',
        noise=LazyPattern(r"^\*{4} |^\[#\] "),
        lasts=True,
    ),
    Pattern(
        "dns-local",
        frozenset({"dnsmasq", "pihole-FTL"}),
        failed=LazyPattern(r"ignoring query from non-local network (?P<program>[\d.:a-f]+)"),
        over="",
        cause="its DNS server ignores all clients that are not on the container's own network, "
        "such as {program}",
        noise=LazyPattern(r"ignoring query from non-local network"),
        lasts=True,
        is_of_address=True,
    ),
    Pattern(
        "haproxy",
        frozenset({"haproxy"}),
        # with 503 a server itself refuses calls: a stand-by, Patroni's replicas
        failed=LazyPattern(
            r"Server (?P<program>[^\s/]{1,200})/\S{1,200} is DOWN, reason: "
            r"(?!Layer7 wrong status, code: 503\b)(?P<detail>Layer[67] [^,.]{0,200}(?:, code: \d{1,3})?)"
            r".{0,300} 0 active and 0 backup servers left"
        ),
        over=r"Server {program}/\S+ is UP|\bLoading success\b|\bNew worker \S*.{{0,20}}\bforked\b",
        cause='HAProxy answers 503 for backend "{program}"',
        explanation="its own check of the last server there failed ({detail})",
        noise=LazyPattern(r"Server \S+ is DOWN|has no server available"),
        lasts=True,
    ),
    Pattern(
        UNREACHED,
        frozenset({"haproxy"}),
        failed=LazyPattern(
            r"Server (?P<program>[^\s/]{1,200})/\S{1,200} is DOWN, reason: "
            r"(?P<detail>Layer4 (?:timeout|connection problem)).{0,300} 0 active and 0 backup servers left"
        ),
        over=r"Server {program}/\S+ is UP|\bLoading success\b|\bNew worker \S*.{{0,20}}\bforked\b",
        cause='HAProxy answers 503 for backend "{program}"',
        explanation="it cannot connect to the last server there ({detail})",
        noise=LazyPattern(r"Server \S+ is DOWN|has no server available"),
        lasts=True,
    ),
    Pattern(
        "java-memory",
        frozenset({"java"}),
        LazyPattern(
            r"Exception in thread \"(?P<program>[^\"]+)\" java\.lang\.OutOfMemoryError"
            r"|OutOfMemoryError thrown from the UncaughtExceptionHandler in thread"
        ),
        "",
        'Java ran out of heap, and thread "{program}" ended while the container runs on',
    ),
    Pattern(
        "mysql",
        frozenset({"mariadbd", "mysqld"}),
        failed=LazyPattern(r"\[ERROR\] (?:\[MY-\d+\] \[Server\] )?(?P<program>)Aborting\s*$"),
        over="ready for connections",
        cause="its server of MySQL or MariaDB has ended, and was not started again",
        noise=LazyPattern(r"\] Aborting\s*$|\[Note\]|\[System\]"),
        lasts=True,
        data=("/var/lib/mysql",),
    ),
    Pattern(
        "postgres",
        frozenset({"postgres", "postmaster"}),
        failed=LazyPattern(
            r"""
            (?P<program>)(?:
                  pg_ctl:\ could\ not\ start\ server
                | LOG:\ +database\ system\ is\ shut\ down
                | FATAL:\ +(?:could\ not|data\ directory|database\ files|lock\ file)
                | ^postgres:\ could\ not[ ]
                | execution\ of\ the\ PostgreSQL\ server\ is\ not\ permitted
              )
            """,
            re.VERBOSE,
        ),
        over="ready to accept connections",
        cause="its server of PostgreSQL has ended, and was not started again",
        noise=LazyPattern(r"pg_ctl: |LOG: |HINT: |Examine the log"),
        lasts=True,
        data=("/var/lib/postgresql",),
    ),
    Pattern(
        "mongo",
        frozenset({"mongod"}),
        failed=LazyPattern(
            r"(?P<program>)(?:\"exitCode\": ?[1-9]|shutting down with code: ?[1-9])"
        ),
        over="[Ww]aiting for connections",
        cause="its server of MongoDB has ended, and was not started again",
        noise=LazyPattern(r"\"s\":\"I\"|shutting down with code"),
        lasts=True,
        data=("/data/db", "/var/lib/mongodb"),
    ),
    Pattern(
        "watchtower",
        frozenset({"watchtower"}),
        # an image that was built here is in no registry, and is skipped in each round
        LazyPattern(
            r"Unable to update container \\?\"?/(?P<program>[\w.-]{1,100})\\?\"?[:,] "
            r"(?!.{0,300}(?:pull access denied|No such image)).{1,300}Proceeding to next"
        ),
        r"\bCreating /{program}\b",
        'watchtower could not update container "{program}", which keeps its old image',
        lasts=True,
        round_ends=LazyPattern(r'msg="Session done"'),
        is_job=True,
    ),
    Pattern(
        "volume-backup",
        frozenset({"backup"}),
        LazyPattern(r"Unexpected error running schedule (?P<program>[^\"\\:]{1,60}):"),
        r"Finished running backup tasks|Uploaded a copy of backup|Stored copy of backup",
        'the last backup of schedule "{program}" failed',
        lasts=True,
        is_job=True,
    ),
    Pattern(
        "ofelia",
        frozenset({"ofelia"}),
        LazyPattern(
            r"\[Job \"(?P<program>[^\"]{1,100})\" \(.{1,40}\)\] Finished in .{1,40}failed: true,"
            r".{0,40}error: (?P<detail>.{1,120})"
        ),
        r"\[Job \"{program}\" .{{1,40}}\] Finished in .{{1,40}}failed: false, skipped: false",
        'the last run of job "{program}" of ofelia failed ({detail})',
        lasts=True,
        is_job=True,
    ),
    Pattern(
        "supercronic",
        frozenset({"supercronic"}),
        LazyPattern(
            r"msg=\"error running command: (?P<detail>[^\"]{1,120})\".{0,80}"
            r"\bjob\.command=\"?(?P<program>[^\"]{1,100}?)\"? job\."
        ),
        r"msg=\"job succeeded\".{{0,80}}\bjob\.command=\"?{program}\"? ",
        'the last run of job "{program}" of supercronic failed ({detail})',
        lasts=True,
        is_job=True,
    ),
)
"""Their words are the programs' own: supervisor/process.py, s6-rc, pm2, rdb.c of Redis,
arbiter.py of gunicorn, rabbit_alarm.erl of RabbitMQ, the appliers of etcd, DiskThresholdMonitor of
Elasticsearch, MongoDB, MariaDB, PostgreSQL, dnsmasq, check.c of HAProxy, adminmonitor of Portainer,
ConsoleApp of Servarr, svc-wireguard of linuxserver/wireguard, the JDK's ThreadGroup, watchtower,
offen/docker-volume-backup, ofelia and supercronic."""
JOBS = frozenset(pattern.name for pattern in PATTERNS if pattern.is_job)
"""Failures of one job of a program that continues with the others."""
