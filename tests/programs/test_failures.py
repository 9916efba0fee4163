"""The table of known failures: every row is recognised in a line as its program writes it, and
explains it in plain words."""

from __future__ import annotations

import pytest

from diagnose import registry
from diagnose.programs.failures import FAILURES, recognise
from diagnose.programs.telling_line import telling_line

LINES = {
    "fastcgi-script": (
        '2026/11/28 04:55:30 [error] 7#7: *1 FastCGI sent in stderr: "Primary script unknown" while '
        'reading response header from upstream, client: 192.0.2.1, server: , request: "GET /index.php '
        'HTTP/1.1", upstream: "fastcgi://172.18.0.2:9000", host: "192.0.2.10"'
    ),
    "redis-replica": "ReadOnlyError: READONLY You can't write against a read only replica.",
    "redis-master-gone": "# Error condition on socket for SYNC: Connection refused",
    "database-read-only": "ERROR:  cannot execute INSERT in a read-only transaction",
    "tls-expected": (
        "received plaintext http traffic on an https channel, closing connection "
        "Netty4HttpChannel{localAddress=/172.18.0.2:9200, remoteAddress=/172.18.0.3:50816}"
    ),
    "zone-unknown": "zoneinfo._common.ZoneInfoNotFoundError: 'No time zone found with key Europe/Berlin'",
    "ruby-version": (
        "definition.rb:427:in `validate_ruby!': Your Ruby version is 3.1.2, but your Gemfile specified "
        "3.3.0 (Bundler::RubyVersionMismatch)"
    ),
    "option-required": (
        "etcdmain: error verifying flags, --advertise-client-urls is required when "
        "--listen-client-urls is set explicitly. See 'etcd --help'."
    ),
    "refuses-root": "2026/11/27 02:01:11 setting.go:178 [F] Gitea is not supposed to be run as root.",
    "package-version": "RuntimeError: gevent worker requires gevent 24.10.1 or higher",
    "kestrel-https": (
        "Unhandled exception. System.InvalidOperationException: Unable to configure HTTPS endpoint. "
        "No server certificate was specified, and the default developer certificate could not be found"
    ),
    "keycloak-https": (
        "ERROR: Key material not provided to setup HTTPS. Please configure your keys/certificates"
    ),
    "ruby-keyerror": 'KeyError: key not found: "REDIS_URL"',
    "spring-placeholder": "IllegalArgumentException: Could not resolve placeholder 'jwt.secret' in value",
    "pydantic-settings": (
        "pydantic_core.ValidationError: 1 validation error for Settings; database_url; Field required"
    ),
    "authentik-secret": "Secret key missing, check https://goauthentik.io/docs/installation/.",
    "flask-application": "Error: Could not locate a Flask application. Use the 'flask --app' option",
    "rails-master-key": "encrypted_file.rb:118:in `_decrypt': ActiveSupport::MessageEncryptor::InvalidMessage",
    "dotnet-connection": "System.ArgumentNullException: Value cannot be null. (Parameter 'connectionString')",
    "apache-mpm": "AH00534: apache2: Configuration error: More than one MPM loaded.",
    "node-module-kind": "Error [ERR_REQUIRE_ESM]: require() of ES Module /app/node_modules/chalk/index.js",
    "privileged": "mount: permission denied (are you root?)",
    "elasticsearch-discovery": "the default discovery settings are unsuitable for production use; at least one",
    "mysql-table-names": (
        "[ERROR] [MY-011087] [Server] Different lower_case_table_names settings for server ('1') and data "
        "dictionary ('0')."
    ),
    "postgres-locale": 'initdb: error: invalid locale name "de_DE.utf8"',
    "consul-address": "==> Multiple private IPv4 addresses found. Please configure one with 'bind'",
    "postfix-pid": "postfix/postfix-script: fatal: the Postfix mail system is already running",
    "portainer-lock": "main.go:98 > failed opening store | error=timeout",
    "setting-required": "KAFKA_ZOOKEEPER_CONNECT is required.",
    "postgres-login": (
        'psql: error: connection to server at "db" (172.18.0.2), port 5432 failed: FATAL:  password '
        'authentication failed for user "shop"'
    ),
    "mysql-access": "ERROR 1045 (28000): Access denied for user 'shop'@'172.18.0.3' (using password: YES)",
    "postgres-database": 'FATAL:  database "shopdb" does not exist',
    "postgres-role": 'FATAL:  role "shop" does not exist',
    "mysql-database": "ERROR 1049 (42000): Unknown database 'shop'",
    "too-many-clients": "FATAL:  sorry, too many clients already",
    "postgres-data-denied": 'error: could not open file "global/pg_filenode.map": Permission denied',
    "postgres-hba": 'FATAL:  no pg_hba.conf entry for host "172.21.0.3", user "shop", database "postgres", no encryption',
    "postgres-starting": "FATAL:  the database system is starting up",
    "redis-password": "ReplyError: NOAUTH Authentication required.",
    "mysql-plugin": "ERROR 2059 (HY000): Authentication plugin 'caching_sha2_password' cannot be loaded: No such file",
    "mongo-auth": "MongoServerError: Authentication failed.",
    "mysql-not-initialised": "[ERROR] Fatal error: Can't open and lock privilege tables: Table 'mysql.db' doesn't exist",
    "mysql-unknown-option": "[ERROR] /usr/sbin/mariadbd: unknown variable 'default-authentication-plugin=mysql_native_password'",
    "redis-bind": "# Warning: Could not create server TCP listening socket 10.9.8.7:6379: bind: Cannot assign requested address",
    "redis-dump": "1:M 02 Jan 2026 10:00:00.000 # Wrong signature trying to load DB from file",
    "redis-folder": "# Fatal: Can't open or create append-only dir appendonlydir: Permission denied",
    "redis-dump-short": "1:M 02 Jan 2026 10:00:00.000 # Short read or OOM loading DB. Unrecoverable error, aborting now.",
    "rabbit-feature-flag": (
        "[error] <0.230.0> Feature flags: `classic_mirrored_queue_version`: required feature flag not "
        "enabled! It must be enabled"
    ),
    "elasticsearch-setting": "java.lang.IllegalArgumentException: unknown setting [xpack.security.enrolment.enabled] please check",
    "postgres-shm": 'ERROR:  could not resize shared memory segment "/PostgreSQL.2088012784" to 50438144 bytes: No space left on device',
    "nginx-certificate": (
        'nginx: [emerg] cannot load certificate "/etc/letsencrypt/live/npm-72/fullchain.pem": BIO_new_file() '
        "failed (SSL: error:02001002:system library:fopen:No such file or directory)"
    ),
    "nginx-directive": 'nginx: [emerg] unknown directive "proxy_passs" in /etc/nginx/conf.d/default.conf:12',
    "php-fpm-user": "[02-Jan-2026 10:00:00] ERROR: [pool www] cannot get uid for user 'nginx'",
    "supervisor-gave-up": "INFO gave up: app entered FATAL state, too many start retries too quickly",
    "address-not-there": "listen tcp 10.1.2.3:9090: bind: cannot assign requested address",
    "node-binary": "Error: /app/node_modules/bcrypt/lib/binding/bcrypt_lib.node: invalid ELF header",
    "node-version": "The module '/app/node_modules/x/build/Release/x.node' was compiled against a different Node.js version using",
    "npm-script": 'npm error Missing script: "start:prod"',
    "npm-package": "npm error enoent ENOENT: no such file or directory, open '/app/package.json'",
    "java-jar": "Error: Unable to access jarfile /app/app.jar",
    "java-class": "Error: Could not find or load main class com.shop.Main",
    "java-manifest": "no main manifest attribute, in /app/app-plain.jar",
    "java-cgroup": (
        'NullPointerException: Cannot invoke "jdk.internal.platform.CgroupInfo.getMountPoint()" because '
        '"anyController" is null'
    ),
    "java-option": "Unrecognized VM option 'UseConcMarkSweepGC'",
    "python-name": (
        "ImportError: cannot import name 'url_quote' from 'werkzeug.urls' "
        "(/usr/local/lib/python3.9/site-packages/werkzeug/urls.py)"
    ),
    "shm-too-small": "ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).",
    "dotnet-framework": "You must install or update .NET to run this application.",
    "dotnet-dll": "Could not execute because the specified command or file was not found.",
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
    "map-count": "[1]: max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]",
    "redis-background-save": "1:M 02 Jan 2026 10:00:00.000 # Can't save in background: fork: Cannot allocate memory",
    "async-io-requests": "2026-01-02 10:00:00 0 [Warning] InnoDB: io_setup() failed with EAGAIN. Will make 5 attempts before giving up.",
    "async-io-scylla": "Could not setup Async I/O: Resource temporarily unavailable. Set /proc/sys/fs/aio-max-nr to at least 65536",
    "shared-memory-segment": "FATAL:  could not create shared memory segment: Invalid argument. HINT: kernel's SHMMAX parameter",
    "low-port": "2026/01/02 10:00:00 listen tcp :80: bind: permission denied",
    "ipv6-absent": "nginx: [emerg] socket() [::]:80 failed (97: Address family not supported by protocol)",
    "huge-pages": "FATAL:  could not map anonymous shared memory: Cannot allocate memory",
    "browser-sandbox": "Failed to move to new namespace: PID namespaces supported, but failed: errno = Operation not permitted",
    "file-watches": "Error: ENOSPC: System limit for number of file watchers reached, watch '/app/src'",
    "postgres-data": (
        "DETAIL:  The data directory was initialized by PostgreSQL version 13, which is not compatible with "
        "this version 16.2"
    ),
    "postgres-18-layout": "Error: in 18+, these Docker images are configured to store database data in a",
    "mysql-downgrade": "[ERROR] [MY-014061] [InnoDB] Invalid MySQL server downgrade: Cannot downgrade from 80035 to 80034.",
    "mysql-boot": (
        "[ERROR] [MY-013171] [InnoDB] Cannot boot server version 80036 on data directory built by "
        "version 90000. Downgrade is not supported"
    ),
    "mysql-skip": (
        "[ERROR] [MY-014060] [Server] Invalid MySQL server upgrade: Cannot upgrade from 50744 to 80400. "
        "Upgrade to next major version is only allowed from the last LTS release"
    ),
    "mysql-redo": (
        "[ERROR] [MY-012526] [InnoDB] Upgrade is not supported after a crash or shutdown with "
        "innodb_fast_shutdown = 2. This redo log was created with MySQL 5.7.21, and it appears "
        "logically non empty. The redo log was created with MySQL 5.7.21."
    ),
    "mysql-socket-lock": (
        "[ERROR] Unix socket lock file is empty /var/run/mysqld/mysqld.sock.lock."
    ),
    "mongo-socket": "Failed to unlink socket file: /tmp/mongodb-27017.sock: Operation not permitted",
    "socket-link": (
        "chown: changing ownership of '/var/lib/mysql/mysql.sock': No such file or directory"
    ),
    "node-openssl": "Error: error:0308010C:digital envelope routines::unsupported",
    "protobuf-generated": "TypeError: Descriptors cannot not be created directly.",
    "celery-root": (
        "Running a worker with superuser privileges when the worker accepts messages serialized with "
        "pickle is a very bad idea!"
    ),
    "numba-cache": (
        "RuntimeError: cannot cache function '__shear_dense': no locator available for file "
        "'/usr/lib/python3/dist-packages/librosa/util/utils.py'"
    ),
    "nginx-header": (
        "2021/12/11 15:49:26 [error] 657#657: *369 upstream sent too big header while reading response header "
        'from upstream, client: 10.0.0.2, server: , request: "POST /login HTTP/1.1", upstream: '
        '"fastcgi://unix:/var/run/php-fpm/php-fpm7.sock:"'
    ),
    "mysql-host": "Error: Host '172.18.0.3' is not allowed to connect to this MySQL server",
    "mysql-public-key": (
        "Caused by: com.mysql.cj.exceptions.UnableToConnectException: Public Key Retrieval is not allowed"
    ),
    "zabbix-empty": (
        '7:20220916:180617.869 cannot use database "zabbix": its "users" table is empty (is this the Zabbix '
        "proxy database?)"
    ),
    "rabbit-node": "       {{failed_to_cluster_with,",
    "gunicorn-timeout": "[2026-05-01 10:00:30 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:7)",
    "redis-full": "ReplyError: OOM command not allowed when used memory > 'maxmemory'.",
    "amqp-arguments": (
        "(406, \"PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'orders' in vhost "
        "'/': received none but current is the value 'quorum' of type 'longstr'\")"
    ),
    "kafka-offset": "arroyo.errors.OffsetOutOfRange: KafkaError{code=_AUTO_OFFSET_RESET,val=-140}",
    "grafana-default": (
        "Datasource provisioning error: datasource.yaml config is invalid. Only one datasource per "
        "organization can be marked as default"
    ),
    "celery-unregistered": (
        "[2026-05-01 10:00:00,123: ERROR/MainProcess] Received unregistered task of type 'a.b'."
    ),
    "mongoose-buffering": (
        "MongooseError: Operation `users.findOne()` buffering timed out after 10000ms"
    ),
    "laravel-key": "production.ERROR: No application encryption key has been specified. {",
    "nginx-block": (
        'nginx: [emerg] "server" directive is not allowed here in /etc/nginx/nginx.conf:1'
    ),
    "nginx-no-index": (
        '[error] 5#5: *1 directory index of "/var/www/html/" is forbidden, client: 172.18.0.1'
    ),
    "search-migration": (
        "Another Kibana instance appears to be migrating the index. Waiting for that migration to "
        "complete. If no other Kibana instance is attempting migrations, you can get past this "
        "message by deleting index .kibana_16 and restarting Kibana."
    ),
    "acme-unreached": (
        "HTTP 400 urn:ietf:params:acme:error:connection - 203.0.113.7: Fetching "
        "http://shop.example.com/.well-known/acme-challenge/x1Yq: Timeout during connect (likely "
        "firewall problem)"
    ),
    "vault-sealed": 'read secret failed: 503 - {"errors":["Vault is sealed"]}',
    "search-flood": (
        'AuthorizationException(403, "cluster_block_exception", "index [orders-2026] blocked by: '
        '[FORBIDDEN/12/index read-only / allow delete (api)];")'
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
    "valid-mark-read-only": (
        'sysctl: setting key "net.ipv4.conf.all.src_valid_mark": Read-only file system'
    ),
    "kernel-setting-advised": (
        "[ERROR   ] If using docker/podman add --sysctl net.ipv4.conf.all.rp_filter=2 flag to your run "
        "command"
    ),
    "capability-advised": "ptrace: Operation not permitted, run the container with --cap-add=SYS_PTRACE",
    "forwarding-read-only": "sysctl: error setting key 'net.ipv4.ip_forward': Read-only file system",
    "ipv6-read-only": "sh: can't create /proc/sys/net/ipv6/conf/all/disable_ipv6: Read-only file system",
    "nginx-connections": "2026/01/02 10:00:00 [alert] 22#22: 1024 worker_connections are not enough",
    "key-not-given": (
        "Error: Refusing to auto-generate STORAGE_ENCRYPTION_KEY: encrypted credentials already exist in "
        "/app/data/storage.sqlite. Restore the key via an appropriate .env file"
    ),
    "mosquitto-local": (
        "1703000000: Starting in local only mode. Connections will only be possible from clients running on "
        "this machine."
    ),
    "zookeeper-session": (
        "[2018-08-28 05:47:34,119] ERROR Error while creating ephemeral at /brokers/ids/1001, node already "
        "exists and owner '1006' does not match current session '1007' (kafka.zk.KafkaZkClient)"
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
    "meilisearch-version": (
        "Your database version (1.0.0) is incompatible with your current engine version (1.2.0)."
    ),
    "mysql-upgrade": "[ERROR] [MY-012526] [InnoDB] Upgrade is not supported after a crash or shutdown with innodb_fast_shutdown = 2.",
    "mariadb-redo": "[ERROR] InnoDB: Upgrade after a crash is not supported. The redo log was created with MariaDB 10.5.8.",
    "mariadb-tc-log": "2026-01-02 10:00:00 0 [ERROR] Bad magic header in tc log",
    "mongo-fcv": 'Wrong mongod version: UPGRADE PROBLEM: Found an invalid featureCompatibilityVersion document: version: \\"4.4\\"',
    "mongo-upgrade": "** IMPORTANT: UPGRADE PROBLEM: The data files need to be fully upgraded",
    "elasticsearch-downgrade": "java.lang.IllegalStateException: cannot downgrade a node from version [8.1.0] to version [7.17.1]",
    "elasticsearch-skip": "cannot upgrade a node from version [6.8.0] directly to version [8.1.0]",
    "redis-rdb": "1:M 02 Jan 2026 10:00:00.000 # Can't handle RDB format version 11",
    "redis-aof": "# Bad file format reading the append only file appendonly.aof.2.incr.aof: make a backup of your AOF file",
    "nextcloud-downgrade": (
        "Can't start Nextcloud because the version of the data (31.0.1.1) is higher than the docker image version (30.0.0.19)"
    ),
    "gitea-database": "migrate: Your database (migration version: 205) is for a newer Gitea, you can not use the newer database",
    "gitlab-upgrade-path": "It is required to upgrade to the latest 14.0.x version first before proceeding.",
    "kafka-cluster": "The Cluster ID XvvB doesn't match stored clusterId Some(0Hna) in meta.properties.",
    "kafka-node": "Configured node.id `1001` doesn't match stored node.id `1389' in meta.properties.",
    "minio-format": "ERROR Unable to initialize backend: format.json file: expected format-type: fs, found: xl-single",
    "minio-backend": "FATAL Unable to use the drive /data: Drive /data: found backend type fs, expected xl or xl-single",
    "postgres-wal": "PANIC:  could not locate a valid checkpoint record",
    "neo4j-format": "java.lang.IllegalStateException: Unable to find store format for version AF4.3.0",
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
    "apache-pid": "httpd (pid 7) already running",
    "pidfile-exists": "ERROR: Pidfile (/app/celerybeat.pid) already exists.",
    "dockerd-pid": "failed to start daemon, ensure docker is not running: process with PID 7 is still running",
    "squid-pid": "FATAL: Squid is already running! Process ID 12",
    "postgres-password": "Error: Database is uninitialized and superuser password is not specified.",
    "mysql-password": "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified",
    "couchdb-admin": 'ERROR: CouchDB 3.0+ will no longer run in "Admin Party"',
    "minecraft-eula": "[init] [ERROR] Please accept the Minecraft EULA at",
    "mssql-eula": "The SQL Server End-User License Agreement (EULA) must be accepted before SQL Server can start.",
    "bitnami-empty": "ERROR ==> The MARIADB_ROOT_PASSWORD environment variable is empty or not set.",
    "shell-unbound": "./run.sh: line 4: DATABASE_URL: unbound variable",
    "shell-parameter": "sh: HTTP_PORT: parameter not set",
    "python-keyerror": "KeyError: 'BOT_TOKEN'",
    "variable-required": "Error: environment variable API_TOKEN is required",
    "nginx-user": 'nginx: [emerg] getpwnam("www-data") failed in /etc/nginx/nginx.conf:1',
    "superset-secret": "Refusing to start due to insecure SECRET_KEY",
    "searxng-secret": "ERROR:searx.webapp: server.secret_key is not changed. Please use something else",
    "rails-secret": "ArgumentError: Missing `secret_key_base` for 'production' environment",
    "django-secret": "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.",
    "keycloak-hostname": "ERROR: Strict hostname resolution configured but no hostname setting provided",
    "minio-credentials": "MINIO_ROOT_USER length should be at least 3, and MINIO_ROOT_PASSWORD length at least 8 characters",
    "n8n-key": "Error: Mismatching encryption keys. The encryption key in the settings file does not match",
    "spring-datasource": "Failed to configure a DataSource: 'url' attribute is not specified and no embedded datasource",
    "airflow-database": "ERROR: You need to initialize the database. Please run `airflow db init`.",
    "glibc-cpu": "Fatal glibc error: CPU does not support x86-64-v2",
    "mongo-avx": "WARNING: MongoDB 5.0+ requires a CPU with AVX support, and your current system does not appear to have that!",
    "tensorflow-avx": "The TensorFlow library was compiled to use AVX2 instructions, but these aren't available on your machine.",
    "clickhouse-cpu": "Instruction check fail. The CPU does not support SSSE3 instruction set.",
    "numpy-baseline": "RuntimeError: NumPy was built with baseline optimizations: (X86_V2) but your machine doesn't support",
    "page-size": "<jemalloc>: Unsupported system page size",
    "glibc-too-old": "/app/gateway: /lib/libc.so.6: version `GLIBC_2.34' not found (required by /app/gateway)",
    "shared-library": "error while loading shared libraries: libssl.so.1.1: cannot open shared object file: No such file or directory",
    "java-class-version": "has been compiled by a more recent version of the Java Runtime (class file version 65.0)",
    "dotnet-icu": "Process terminated. Couldn't find a valid ICU package installed on the system.",
    "thread-refused": "runtime/cgo: pthread_create failed: Operation not permitted",
    "thread-refused-rust": "thread 'main' panicked at 'OS can't spawn a new worker thread: Operation not permitted (os error 1)'",
    "thread-refused-node": "Assertion failed: (0) == (uv_thread_create(t.get(), start_thread, this))",
    "clock-refused": "Fatal Python error: init_interp_main: can't initialize time",
    "rust-clock": "thread 'main' panicked at library/std/src/sys/unix/time.rs:420:72:",
    "access-refused": "make: /bin/sh: Operation not permitted",
    "io-uring-refused": "io_uring_queue_init: Operation not permitted",
    "jvm-reserve": "Could not reserve enough space for 4194304KB object heap",
    "jvm-native": "# There is insufficient memory for the Java Runtime Environment to continue.",
    "jvm-heap": "java.lang.OutOfMemoryError: Java heap space",
    "node-heap": "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    "loopback-refused": "Error: connect ECONNREFUSED 127.0.0.1:3306",
    "loopback-unreached": "[31/07/22 12:00:00] [plex error]: couldnt reach local plex server at: http://localhost:32400 to determine library sections.",
    "loopback-kafka": "[Consumer clientId=c1] Connection to node 1 (localhost/127.0.0.1:9092) could not be established. Node may not be available.",
    "loopback-postgres": 'connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused',
    "mysql-socket": "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/run/mysqld/mysqld.sock' (2)",
    "php-mysql-socket": "PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] No such file or directory",
    "host-gateway": "Error: getaddrinfo ENOTFOUND host.docker.internal",
    "api-too-new": "client version 1.44 is too new. Maximum supported API version is 1.41",
    "api-too-old": "client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client",
    "nginx-upstream": 'nginx: [emerg] host not found in upstream "orders" in /etc/nginx/conf.d/default.conf:31',
    "certificate-time": "x509: certificate has expired or is not yet valid: current time 1970-01-01T00:00:09Z is before 2025",
    "docker-socket": "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
    "s6-not-first": "s6-overlay-suexec: fatal: can only run as pid 1",
    "iptables-capability": "iptables v1.8.7: can't initialize iptables table `nat': Permission denied (you must be root)",
    "interface-capability": "ip: ioctl 0x8922 failed: Operation not permitted",
    "tun-device": "ERROR: Cannot open TUN/TAP dev /dev/net/tun: No such file or directory",
    "no-new-privileges": (
        "sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option "
        "set or an NFS file system without root privileges?"
    ),
    "noexec-tmpfs": (
        "java.lang.UnsatisfiedLinkError: /tmp/libnetty_transport_native_epoll_x86_64.so: "
        "/tmp/libnetty_transport_native_epoll_x86_64.so: failed to map segment from shared object: "
        "Operation not permitted"
    ),
    "file-size-limit": "File size limit exceeded (core dumped)",
    "vault-mlock": "Error initializing core: Failed to lock memory: cannot allocate memory",
    "descriptors-low": "max file descriptors [4096] for elasticsearch process is too low, increase to at least [65535]",
    "memory-lock-low": "memory locking requested for elasticsearch process but memory is not locked",
    "memory-lock-refused": "entrypoint: line 13: ulimit: max locked memory: cannot modify limit: Operation not permitted",
    "open-files-refused": "/run.sh: line 4: ulimit: open files: cannot modify limit: Operation not permitted",
    "processes-refused": "/run.sh: line 5: ulimit: max user processes: cannot modify limit: Operation not permitted",
    "user-switch": 'error: failed switching to "postgres": operation not permitted',
    "read-only-root": 'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)',
    "postgres-lost-found": 'initdb: error: directory "/var/lib/postgresql/data" exists but is not empty',
    "chown-refused": "chown: changing ownership of '/var/lib/postgresql/data': Operation not permitted",
    "module-node": "Error: Cannot find module '/app/src/index.js'",
    "module-python": "ModuleNotFoundError: No module named 'flask_cors'",
    "gem-missing": "Could not find rack-2.2.8 in locally installed gems (Bundler::GemNotFound)",
    "config-is-folder": "read /etc/prometheus/prometheus.yml: is a directory",
    "erlang-cookie": "Error when reading /var/lib/rabbitmq/.erlang.cookie: eacces",
    "erlang-node-name": 'ERROR: node with name "rabbit" already running on "5f2b" (duplicate_node)',
    "disk-full-postgres": 'PANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on device',
    "port-inside": "dnsmasq: failed to create listening socket for port 53: Address already in use",
    "zookeeper-myid": "Caused by: java.lang.IllegalArgumentException: myid file is missing",
    "acme-rate-limit": "Error creating new order :: too many certificates (5) already issued for this exact set of domains",
}
BY_NAME = {failure.name: failure for failure in FAILURES}


def test_there_are_more_than_sixty_rows_each_with_its_own_name_and_line():
    assert len(BY_NAME) == len(FAILURES) >= 60
    assert set(LINES) == set(BY_NAME)


@pytest.mark.parametrize("name", LINES)
def test_a_line_is_recognised_as_its_row_among_all(name: str):
    recognised = recognise([LINES[name]], telling_line([LINES[name]]), FAILURES)
    assert recognised is not None
    assert recognised.failure.name == name
    assert "{" not in recognised.cause + recognised.cure


@pytest.mark.parametrize(
    ("advice", "end"),
    [
        ("note: run with --cap-add=NET_ADMIN to use the firewall", "panic: index out of range [3]"),
        ("tip: --sysctl net.core.somaxconn=1024 helps, set it if you can", "FATAL: no such table"),
        ("Warning: use --cap-add=SYS_NICE for real-time priority", "shutting down"),
    ],
)
def test_advice_by_the_way_is_no_missing_option(advice: str, end: str):
    assert recognise([advice, end], telling_line([advice, end]), FAILURES) is None


def test_rows_are_written_in_plain_words_and_name_checks_that_exist():
    for failure in FAILURES:
        assert failure.mark == failure.mark.lower(), failure.name
        assert failure.cause[0].isalpha() or failure.cause[0] in ".{", failure.name
        assert not failure.cause.endswith("."), failure.name
        assert failure.cure, failure.name
        assert failure.source, failure.name
        assert failure.confirmed_by in {"", *registry.load()}, failure.name


@pytest.mark.parametrize(
    "line",
    [
        "GET /api/error 200 in 3 ms",
        "INFO  0 errors, all checks passed",
        "listening on 0.0.0.0:8080",
        "connected to postgres at db:5432",
        "WARN retrying request, attempt 2 of 5",
        "client 10.1.2.3 could not connect: origin http://localhost:3000 is not allowed",
        "If you can't connect to the app, open http://localhost:8080 in your browser",
        "failed to connect to mirror.example.com, serving the cache on 127.0.0.1:5000",
        "unable to connect to db:5432, the pool of localhost:6432 is kept",
        (
            'level=warning msg="No HTTP secret provided - generated random secret. To provide a shared secret, '
            'set the REGISTRY_HTTP_SECRET environment variable."'
        ),
    ],
)
def test_an_ordinary_line_is_no_known_failure(line: str):
    assert recognise([line], telling_line([line]), FAILURES) is None
