"""Lines of several programs for each family of complaints."""

from __future__ import annotations

LINES = {
    "schema-unsupported": (
        "AssertException: Unsupported database schema version: 24",
        "panic: unknown schema version 9",
    ),
    "key-changed": (
        "the configured encryption key does not appear to be valid for this database which may occur",
        "Error: The private key used to encrypt passwords has changed since the last successful startup.",
        "panic: cipher: message authentication failed",
        "cryptography.fernet.InvalidToken",
        "production.ERROR: The MAC is invalid.",
        "[warning] Could not decrypt API tokens!",
        "Error: Unsupported state or unable to authenticate data",
        "OpenSSL::Cipher::CipherError: bad decrypt",
        "HMAC does not match.",
        'Credentials could not be decrypted. The likely reason is that a different "encryptionKey" was used to encrypt',
        "clojure.lang.ExceptionInfo: Message seems corrupt or tampered with {:type :validation}",
    ),
    "server-too-old": (
        "Web server startup failed: Unsupported postgresql version: 9.6. Minimal supported version is 11.0.",
        "django.db.utils.NotSupportedError: PostgreSQL 13 or later is required (found 12.18).",
        "Error! Current MySQL database server version is too old (05.07.42). Must be a minimum of (08.00.30).",
        "You are connecting to Redis v5.0.14, Sidekiq requires Redis v6.2.0 or greater",
        "Error: this release requires MariaDB 10.6 or newer, and the server is 10.3.39",
    ),
    "root-needed": (
        "[fatal] This is the first launch of AdGuard Home. You must run it as Administrator.",
        "Error: this program must be run as root",
        "Error: Can't drop privilege as nonroot user",
        "iptables v1.8.9: Could not fetch rule set generation id: Permission denied (you must be root)",
    ),
    "secret-required": ("[ERROR]: TypeError: JwtStrategy requires a secret or key",),
    "folder-of-setting-denied": (
        "?: PAPERLESS_MEDIA_ROOT is not writeable; HINT: Set the permissions of",
    ),
    "path-empty": (
        "panic: echo: path cannot be empty",
        "mkdir: cannot create directory '': No such file or directory",
        "mkdir: cannot create directory ‘’: No such file or directory",
        "panic: open : no such file or directory",
        "Error: ENOENT: no such file or directory, open ''",
    ),
    "optional-package": (
        "RuntimeError: 'cryptography' package is required for sha256_password or caching_sha2_password auth methods",
        "Error: 'sharp' is required to be installed in standalone mode for the image optimization",
        "ImportError: Missing optional dependency 'openpyxl'. Use pip or conda to install openpyxl.",
        "Error: Please install mysql2 package manually",
        "DriverPackageNotInstalledError: Postgres package has not been found installed. Try to install it: npm install pg",
        "django.core.exceptions.ImproperlyConfigured: Error loading psycopg2 or psycopg module",
        "RuntimeError: could not load the mail backend, try: pip install aiosmtplib",
    ),
    "plugin-unrunnable": (
        "rendering.RenderingService run error: Unrecognized remote plugin message: ",
    ),
    "own-output-denied": (
        "PermissionError: [Errno 13] Permission denied: '/proc/self/fd/1'",
        'nginx: [alert] could not open error log file: open() "/dev/stderr" failed (13: Permission denied)',
        "/app/start.sh: line 9: /dev/stdout: Permission denied",
    ),
    "setting-required": (
        "error: Missing apiToken.salt. Please set apiToken.salt in config/admin.js (ex: you can generate one using Node)",
        "Configuration: storage: option 'encryption_key' is required",
        "Error: Error: Meta database configuration missing database name",
        "Error: missing required field: storage_config",
        "java.lang.IllegalArgumentException: requirement failed: node.id must be set",
        "Likely root cause: OpenSearchException[plugins.security.ssl.transport.keystore_filepath must be set if ssl is on]",
        "invalid configuration: at least one client config should be provided",
        "ValueError: The value api_auth/jwt_secret must be set!",
        "  missing setting: cookie-secret",
        "invalid compactor config: compactor.delete-request-store should be configured when retention is enabled",
        "Please configure 'hmac_key' in your configuration file. The value can be generated with:",
        'error: Middleware "strapi::session": App keys are required. Please set app.keys in config/server.js',
    ),
    "variable-unnamed": (
        "thread 'tokio-runtime-worker-0' panicked at 'User env var should exist: NotPresent', src/main.rs:9:5",
        "Error: environment variable not found",
        "ERROR! Config provider Config.Reader failed with:; ** (ArgumentError) errors; * 1st argument: not a binary",
    ),
    "made-before": (
        "Code: 82. DB::Exception: Received from localhost:9000. DB::Exception: Database dictionaries already exists.",
        "mc: <ERROR> Unable to make bucket `made/shop`. Bucket already exists",
        "kafka.common.TopicExistsException: Error: Topic 'orders' already exists.",
    ),
    "folder-without-data": (
        'pg_ctl: directory "/data/database" is not a database cluster directory',
        'pg_ctl: directory "/var/lib/pgsql/data" is not a valid data directory',
    ),
    "database-io": (
        "Microsoft.Data.Sqlite.SqliteException (0x80004005): SQLite Error 10: 'disk I/O error'.",
        "Service init failed: Migration failed err: disk I/O error",
        "Error: SQLITE_IOERR: disk I/O error",
    ),
    "script-of-bash": (
        "/app/start.sh: 3: set: Illegal option -o pipefail",
        "/app/start.sh: 7: [[: not found",
        "start.sh: 12: Bad substitution",
        'start.sh: line 1: syntax error: unexpected "("',
        "/app/start.sh: 4: source: not found",
        '/app/start.sh: 9: Syntax error: "(" unexpected',
    ),
    "shell-command": (
        '/bin/sh: 1: Syntax error: "(" unexpected',
        'sh: syntax error: unexpected "("',
        "/bin/sh: 1: source: not found",
        "/bin/sh: 1: set: Illegal option -o pipefail",
        "bash: -c: line 1: syntax error near unexpected token `('",
    ),
    "script-syntax": (
        '/app/start.sh: 13: Syntax error: end of file unexpected (expecting "then")',
        "/app/start.sh: line 14: syntax error: unexpected end of file",
        "/app/start.sh: line 3: syntax error near unexpected token `fi'",
    ),
    "script-line-ends": (
        "/entrypoint.sh: line 2: $'\\r': command not found",
        "/start.sh: 2: set: Illegal option -",
        "/start.sh: set: line 2: illegal option -o pipefail",
        "sleep: invalid time interval ‘1\\r’",
        "/start.sh: set: line 2: illegal option -",
        "/start.sh: line 2: set: pipefail\\r: invalid option name",
        "/start.sh: line 4: cd: $'/srv/app\\r': No such file or directory",
        "env: 'bash\\r': No such file or directory",
        "/bin/sh^M: bad interpreter: /app/start.sh: bad interpreter: /bin/sh^M: no such file or directory",
    ),
    "task-missing": (
        "rake aborted! Don't know how to build task 'gitlab:storage:legacy_attachments'",
        "make: *** No rule to make target 'serve'.  Stop.",
        'error Command "start:prod" not found.',
    ),
    "prisma-openssl": (
        'Prisma Client could not locate the Query Engine for runtime "linux-musl-openssl-1.1.x".',
    ),
    "certificate-file-missing": (
        "Interop+Crypto+OpenSslCryptographicException: error:2006D080:BIO routines:BIO_new_file:no such file",
        "error:10000080:BIO routines::no such file",
    ),
    "certificate-password": (
        "Cryptography.CryptographicException: The specified network password is not correct.",
        "java.io.IOException: keystore password was incorrect",
    ),
    "certificate-key": (
        'nginx: [emerg] SSL_CTX_use_PrivateKey("/etc/ssl/shop.key") failed (SSL: 0B080074:key values mismatch)',
        "tls: private key does not match public key",
    ),
    "illegal-instruction": (
        "Illegal instruction (core dumped)",
        "bash: line 1: 7 Illegal instruction  /app/bin/serve",
    ),
    "url-scheme": (
        "sqlalchemy.exc.NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:postgres",
        "error: failed to open database: database driver: unknown driver postgres (forgotten import?)",
        "ValueError: Redis URL must specify one of the following schemes (redis://, rediss://, unix://)",
        "java.sql.SQLException: No suitable driver found for postgres://db:5432/shop",
    ),
    "url-unreadable": (
        "Error: P1013: The provided database string is invalid. invalid port number in database URL.",
        "ValueError: Port could not be cast to integer value as 'made'",
        'parse "postgres://app:made#up@db:5432/shop": invalid port ":made" after host',
        "bad URI(is not URI?): postgres://app:made up@db/shop (URI::InvalidURIError)",
        "pymongo.errors.InvalidURI: Username and password must be escaped according to RFC 3986",
        "TypeError: Invalid URL",
    ),
    "host-refused": (
        "ERROR Invalid HTTP_HOST header: 'shop.example.com'. You may need to add 'shop.example.com' to ALLOWED_HOSTS.",
        "[ActionDispatch::HostAuthorization::DefaultResponseApp] Blocked hosts: shop.example.com",
        '2020-04-11 14:13:34,797::WARNING::[interface:329] Refused connection with hostname "linux.example.com" from: 10.0.0.9',
        'Blocked request. This host ("app.example.com") is not allowed.',
        'SuspiciousOperationException: Untrusted Host "shop.example.com".',
    ),
    "origin-refused": (
        "Forbidden (Origin checking failed - https://shop.example.com does not match any trusted origins.): /login/",
    ),
    "engines-file-replaced": (
        "sed: can't move '/etc/hostsjGVCUE' to '/etc/hosts': Device or resource busy",
        "sed: cannot rename /etc/sedHKGcfk to /etc/hosts: Device or resource busy",
    ),
    "port-low": (
        "dnsmasq: failed to create listening socket for port 53: Permission denied",
        "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)",
        "listen tcp :443: bind: permission denied",
    ),
    "volume-required": ("[2023-04-09 16:35:14.906][vaultwarden][ERROR] No persistent volume!",),
    "setting-unknown": (
        "[error] Conf file attempted to set unknown variable: default_users",
        "FATAL: Bungled /etc/squid/squid.conf line 12: http_acess allow localnet",
        "Failed to read config: Unrecognized setting. No declared setting with name: PLUGINS",
        "yaml: unmarshal errors: line 53: field metric_path not found in type config.ScrapeConfig",
        "command traefik error: field not found, node: middlewares",
        "Error: adapting config using caddyfile: Caddyfile:7: unrecognized directive: reverse_prox",
        "run: adapting config using caddyfile: /etc/caddy/Caddyfile:5: unrecognized global option: servers",
        "Bad directive or wrong number of arguments; >>> 'rdb-del-sync-files no'",
        'nginx: [emerg] "root" directive is duplicate in /etc/nginx/nginx.conf:40',
    ),
    "peer-unreached": (
        "Can't reach database server at `postgresql-info`:`5432`",
        "Please make sure your database server is running at `postgresql-info`:`5432`.",
        "could not connect to mongo:27017",
    ),
    "mounted-file-replaced": (
        "failed to create WAL: unlinkat /var/lib/etcd/wal: device or resource busy",
        "sed: can't move '/etc/app/app.confbFhJcA' to '/etc/app/app.conf': Resource busy",
        "mv: cannot move '/tmp/x' to '/etc/app/app.conf': Device or resource busy",
        "OSError: [Errno 16] Device or resource busy: '/config/.storage/tmp' -> '/config/configuration.yaml'",
        "Error: EBUSY: resource busy or locked, rename '/app/db.json.tmp' -> '/app/db.json'",
        "rename /data/.config.tmp /data/config.yml: device or resource busy",
    ),
    "database-file": ("sqlite3.OperationalError: unable to open database file",),
    "docker-socket": (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "ERROR: Couldn't connect to Docker daemon at http+docker://localhost - is it running?",
    ),
    "fuse-device": ("fuse: device not found, try 'modprobe fuse' first",),
    "systemd-needed": (
        "System has not been booted with systemd as init system (PID 1). Can't operate.",
        "Failed to get D-Bus connection: Operation not permitted",
    ),
    "download-failed": (
        "Failed to process download URL",
        "curl: (28) Connection timed out after 300000 milliseconds",
        "Error: Failed to fetch sha256 checksum at https://binaries.example/engine.gz - 403 Forbidden",
        "OSError: We couldn't connect to 'https://huggingface.co' to load this file",
    ),
    "threads-refused": (
        "libgomp: Thread creation failed: Resource temporarily unavailable",
        "java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory",
    ),
    "descriptors-used-up": ("Error: EMFILE: too many open files, open '/app/index.js'",),
    "script-memory": (
        "PHP Fatal error: Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes)",
    ),
    "main-class": ("Error: Could not find or load main class com.example.App",),
    "login-refused": (
        "security_exception: [security_exception] Reason: unable to authenticate user [kibana_system]",
        "redis.exceptions.AuthenticationError: Authentication required.",
        "(403) ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN",
        "backend error: invalid key: API key does not exist",
        "ERROR [openvpn] AUTH: Received control message: AUTH_FAILED",
        "Provided token is not valid.",
    ),
    "owner-doubted": ("fatal: detected dubious ownership in repository at '/app'",),
    "kernel-old": ("FATAL: kernel too old",),
    "some-peer-refused": ("SQLSTATE[HY000] [2002] Connection refused",),
    "certificate-expired": (
        (
            'Get "https://api.example.com": x509: certificate has expired or is not yet valid: current time '
            "2026-01-02T10:00:00Z is after 2025-12-31T23:59:59Z"
        ),
        "Error: certificate has expired { code: 'CERT_HAS_EXPIRED' }",
    ),
    "certificate-name": (
        "x509: certificate is valid for www.example.com, not sso.example.com",
        "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames",
    ),
    "certificate-file": (
        'nginx: [emerg] cannot load certificate key "/etc/tls/shop.key": PEM_read_bio_PrivateKey() failed',
        "tls: failed to find any PEM data in certificate input",
    ),
    "certificate-self-signed": (
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:992)",
        "Error: self-signed certificate { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }",
        "curl: (60) SSL certificate problem: self signed certificate",
    ),
    "tls-older-client": (
        "imap-login: Disconnected: SSL_accept() failed: error:0A000102:SSL routines::unsupported protocol",
        "http: TLS handshake error from 192.0.2.1: tls: client offered only unsupported versions: [301]",
    ),
    "tls-older-server": (
        "[Errno 111] [SSL: UNSUPPORTED_PROTOCOL] unsupported protocol (_ssl.c:661)",
        "SSL_connect returned=1 errno=0 state=error: unsupported protocol [OpenSSL::SSL::SSLError]",
    ),
    "certificate-untrusted": (
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "Error: self-signed certificate in certificate chain",
        "SSLHandshakeException: PKIX path building failed: unable to find valid certification path",
    ),
    "device-denied": (
        "Error while opening serialport 'Error: Permission denied, cannot open /dev/ttyUSB0'",
        "open /dev/dri/renderD128: permission denied",
    ),
    "device-missing": (
        "Error: No such file or directory, cannot open /dev/ttyACM0",
        "No VA display found for device /dev/dri/renderD128.",
    ),
    "gpu-missing": (
        "RuntimeError: Found no NVIDIA driver on your system.",
        "RuntimeError: Failed to infer device type",
    ),
    "gpu-memory": ("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",),
    "kernel-module": (
        "Unable to access interface: Protocol not supported",
        "can't initialize iptables table `nat': Table does not exist (do you need to insmod?)",
    ),
    "library-missing": ("OSError: libGL.so.1: cannot open shared object file: No such file",),
    "class-missing": (
        "Caused by: java.lang.ClassNotFoundException: org.postgresql.Driver",
        "NameError: uninitialized constant Connectors::BaseConnector",
        "PHP Fatal error:  Uncaught Error: Class 'Redis' not found in /var/www/html/cache.php:3",
    ),
    "variable-replaced": (
        "Error: DO NOT USE PASSWORD ENVIRONMENT VARIABLE. USE PASSWORD_HASH INSTEAD.",
        "error: do not use the SHOP_URL variable. use SHOP_BASE_URL for it instead",
    ),
    "argument-missing": (
        "Error: accepts 1 arg(s), received 0",
        "serve: error: the following arguments are required: --data",
        "error: The following required arguments were not provided: <URL>",
        '"tunnel run" requires the ID or name of the tunnel to run as the last command line argument',
    ),
    "owner-expected": (
        "[warn] /var/lib/tor is not owned by this user (tor, 100) but by root (0). Perhaps you are running Tor as the wrong user?",
        "Console has to be executed with the user that owns the file config/config.php",
    ),
    "some-peer-silent": ("panic: context deadline exceeded",),
    "plugin-missing": (
        "error_class=Fluent::NotFoundPluginError error=\"Unknown output plugin 'elasticsearch'. Run 'gem search'\"",
        "Couldn't find any filter plugin named 'geoip2'. Are you sure this is correct?",
        "[ERROR] plugin 'audit_log' is not installed",
    ),
    "php-vendor": ("Failed opening required '/var/www/html/vendor/autoload.php'",),
    "php-extension": (
        "Uncaught Error: Call to undefined function mysqli_connect() in /var/www/html/db.php:3",
        "could not find driver (Connection: mysql, SQL: select 1)",
        "Uncaught Error: Call to undefined function App\\Text\\mb_strlen() in /app/text.php:3",
        "Uncaught Error: Call to undefined function imagecreatetruecolor() in /app/thumbs.php:9",
    ),
    "php-function": (
        "Uncaught Error: Call to undefined function each() in /var/www/html/old.php:3",
        "Uncaught Error: Call to undefined function shop_price() in /var/www/html/theme.php:7",
    ),
    "perl-module": ("Can't locate DBI.pm in @INC (you may need to install the DBI module)",),
    "command-missing": (
        "/docker-entrypoint.sh: line 12: envsubst: command not found",
        "sh: 1: next: not found",
        'exec: "gunicorn": executable file not found in $PATH',
        "bundler: command not found: sidekiq",
        'Error: Command "start-docker" not found',
    ),
    "runtime-too-old": (
        "Unsupported Java detected (65.0). Only up to Java 20 is supported.",
        "Running with Java 8, which is older than the minimum required version (Java 17).",
        'Your Composer dependencies require a PHP version ">= 8.2.0". You are running 8.1.2.',
    ),
    "own-code-missing": (
        "PHP Fatal error:  require_once(): Failed opening required '/var/www/html/lib/versioncheck.php' (include_path='.')",
        "Can't locate Shop/Cart.pl in @INC (@INC entries checked: /etc/perl) at /app/start line 3.",
    ),
    "configuration-not-found": (
        "panic: configuration file not found",
        "Error: no configuration file found",
        "FATAL: Unable to find config.yaml",
        "[ERROR] Could not find a configuration file. Exiting.",
    ),
    "followed-log-missing": (
        "tail: cannot open '/var/log/rabbitmq/*.log' for reading: No such file or directory",
        "tail: can't open '/var/log/shop/app.log': No such file or directory",
    ),
    "prisma-client": (
        'Error: @prisma/client did not initialize yet. Please run "prisma generate"',
        'PrismaClientInitializationError: Query engine library for current platform "linux-musl" could not be found.',
    ),
    "application-not-found": (
        'ERROR:    Error loading ASGI app. Could not import module "main".',
        "Failed to find attribute 'app' in 'main'.",
        "Error: Invalid value for '-A' / '--app': Unable to load celery application.",
        "AppImportError: Failed to parse 'create_app' as an attribute name or function call.",
    ),
    "assembly-missing": (
        "System.IO.FileNotFoundException: Could not load file or assembly 'System.Runtime, Version=4.2.0.0",
    ),
    "bean-missing": (
        "OrderService required a bean of type 'com.shop.OrderRepository' that could not be found.",
    ),
    "native-module": ('Error: Could not load the "sharp" module using the linuxmusl-x64 runtime',),
    "start-not-repeatable": (
        "/root/install.sh: line 48: setupVars: readonly variable",
        "mkdir: cannot create directory '/var/www/html/config': File exists",
        "error: useradd: user 'app' already exists",
    ),
    "program-fault": (
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "TypeError: Cannot read properties of undefined (reading 'replace')",
        "AttributeError: 'NoneType' object has no attribute 'split'",
        'java.lang.NullPointerException: Cannot invoke "String.length()"',
    ),
    "language-version": ("SyntaxError: Unexpected token '?'", "SyntaxError: invalid syntax"),
    "build-missing": ("Error: Could not find a production build in the '.next' directory.",),
    "locked-by-another": (
        "Lock file is present. Guessing isbg is already running. Exit.",
        "yugabyted is already running!",
        "Error: ipfs daemon is running. please stop it to run this command",
        "The jira.home directory '/var/jira' is already locked by another running instance.",
        "Error: another instance of the server is already running",
    ),
    "data-newer": (
        "java.lang.IllegalArgumentException: Could not load codec 'Lucene95'. Did you forget to add lucene-backward-codecs.jar?",
        "org.apache.lucene.index.IndexFormatTooNewException: Format version is not supported (resource X): 10 (needs to be between 7 and 9)",
        "invalid downgrade; server version is lower than determined cluster version",
        "the database schema version is newer than this program supports",
    ),
    "data-older": (
        "Looks like you skipped some required update(s), please go back to the mandatory upgrade path [v1.9.1]",
        "ERROR mlflow.cli: Detected out-of-date database schema (found version 451aebb31d03, but expected 7f2a7d5fae7d).",
        "Unable to start server. Error: sql schema version compatibility check failed:",
        "ERROR: store <no-attributes>=/cockroach/cockroach-data, last used with cockroach version v22.1, is too old for running version v24.1",
        "Database needs bootstrapping or is older than Kong 1.0.",
        "Current version is too old. Please upgrade to Long Term Support version firstly.",
        "FATAL: the database needs an upgrade before the server can start",
        "Error: schema version 41 is lower than the required version 44",
    ),
    "table-missing": (
        "Caused by: org.hibernate.tool.schema.spi.SchemaManagementException: Schema-validation: missing table [orders]",
        '** (Postgrex.Error) ERROR 42P01 (undefined_table) relation "system_metrics" does not exist',
        "SQLITE_ERROR: no such table: users",
    ),
    "migration-dirty": (
        "failed to execute migrations: Dirty database version 30. Fix and force version.",
    ),
    "migration-locked": (
        "LockException: Could not acquire change log lock.  Currently locked by app-7",
    ),
    "migration-locked-ghost": (
        "MigrationsAreLockedError: Migration lock was never released or currently a migration is running.",
    ),
    "migration-locked-knex": ("MigrationLocked: Migration table is already locked",),
    "migration-locked-other": (
        "[ERROR] postgres - Migration failed Already locked",
        "error: the lock of the migrations was never released",
    ),
    "revision-unknown": (
        "alembic.util.exc.CommandError: Can't locate revision identified by 'a1b2c3d4e5f6'",
        "Error: The migration directory is corrupt, the following files are missing: 2024_a.js",
    ),
    "migration-failed": (
        "migrate found failed migrations in the target database, new migrations will not be applied.",
        "Error: P3018 A migration failed to apply. New migrations cannot be applied",
    ),
    "migration-repeated": (
        "SQLSTATE[42S01]: Base table or view already exists: 1050 Table 'migrations' already exists",
        'ERROR: column "theme" of relation "users" already exists',
        "Error: P3005 The database schema is not empty.",
    ),
    "column-missing": (
        "SchemaManagementException: Schema-validation: missing column [total] in table [orders]",
        "sqlite3.OperationalError: no such column: users.theme",
        'ERROR: column "theme" does not exist',
        "Unknown column 'users.theme' in 'field list'",
    ),
    "filesystem-damaged": (
        "cp: cannot create regular file '/etc/dnsmasq.d/01.conf': Structure needs cleaning",
    ),
    "mount-disconnected": (
        "find: /config: Socket not connected",
        "ls: cannot access '/media/films': Transport endpoint is not connected",
    ),
    "data-damaged": (
        "panic: invalid page allocation: 0",
        "java.io.IOException: Detected corrupt journal files. [3]",
        "[ERROR] [MY-013183] [InnoDB] Assertion failure: log0recv.cc:1987:!page || fil_page_type_is_index(page_type) thread 139887",
        "SQLite.SQLiteException: database disk image is malformed",
        '{error,{not_a_dets_file,"/var/lib/rabbitmq/mnesia/rabbit@mq/recovery.dets"}}',
        "WiredTiger error: WT_PANIC: WiredTiger library panic",
        "java.io.IOException: No snapshot found, but there are log entries. Something is broken!",
        "invalid magic number 0",
        "Trace: [Error: SQLITE_NOTADB: this file has no header of a database",
    ),
    "database-extension": (
        "Error: The pgvecto.rs extension version is 0.1.11, but the server only supports >=0.2 <0.4.",
        'FATAL:  could not access file "timescaledb": No such file or directory',
    ),
    "replica-set": ("MongoServerError: The $changeStream stage is only supported on replica sets",),
    "licence": ("You must accept the license agreement to run this image",),
    "both-set": ("error: both DB_PASSWORD and DB_PASSWORD_FILE are set (but are exclusive)",),
    "secret-not-given": (
        "FATAL ERROR: JVB auth password must be set",
        "error: encryption passphrase was not provided",
    ),
    "password-weak": (
        "Invalid value for password. The minimum password length is 8 characters.",
        "Password validation failed. The password does not meet policy requirements",
    ),
    "default-secret": ("fatal: the default secret is insecure, set SHOP_SECRET_KEY",),
    "user-unknown": (
        "can't find the user memcache to switch to",
        "su: user shop does not exist",
        'apache: getpwnam("www-data") failed',
    ),
    "user-not-found": (
        "Error: user admin does not exist",
        'fatal: user "backup" not found',
    ),
    "value-too-low": (
        "Error: JWT_SECRET must be at least 32 characters long",
        "encryption key must be at least 32 bytes",
        "PASSWORD_ITERATIONS should be at least 100000 or higher. The default is 600000!",
    ),
    "key-malformed": (
        "ValueError: Fernet key must be 32 url-safe base64-encoded bytes.",
        "Error: ENCRYPTION_KEY must be 64 hex characters",
        "Unsupported cipher or incorrect key length. Supported ciphers are: aes-128-cbc, aes-256-cbc",
    ),
    "configuration-read-only": (
        "ERROR: Config file is read-only, unable to migrate config file.",
        "error: cannot save to a read-only configuration",
    ),
    "hostname-incomplete": ("The hostname 'mail' is not a FQDN. Please set a FQDN hostname",),
    "memory-required": (
        "Could not initialize seastar: std::runtime_error (insufficient physical memory: needed 4294967296 available 1931841536)",
        "E20261120 10:01:11.122 dfly_main.cc:253] There are 8 threads, so 2.00GiB are required. Exiting...",
        "sqlservr: This program requires a machine with at least 2000 megabytes of memory.",
    ),
    "value-refused": (
        "500 OOPS: bad bool value in config file for: anonymous_enable",
        "java.lang.IllegalArgumentException: requirement failed: advertised.listeners cannot use 0.0.0.0",
        "Error: invalid value for LOG_LEVEL: inf",
        "'admin@localhost' does not appear to be a valid email address.",
    ),
    "unknown-option": (
        "error: unknown long flag '--storage.local.path'",
        "flag provided but not defined: -config",
    ),
    "unknown-command": ('Error: unknown command "serv" for "app"',),
    "name-unresolved": (
        "dial tcp: lookup grafana.com on 127.0.0.11:53: server misbehaving",
        "Caused by: java.net.UnknownHostException: mbdb",
        "Error: getaddrinfo ENOTFOUND redis",
        "[error] 6#6: *39 app could not be resolved (3: Host not found), client: 192.0.2.1",
    ),
    "some-name-unresolved": (
        "socket.gaierror: [Errno -2] Name or service not known",
        "wget: bad address",
    ),
    "cluster-silent": ("java.lang.RuntimeException: Unable to gossip with any peers",),
    "peer-refused": (
        "dial tcp 10.0.0.3:5432: connect: connection refused",
        "Error: connect ECONNREFUSED 10.0.0.3:6379",
    ),
    "database-unreachable": (
        "ERROR: Failed to obtain JDBC connection",
        "MongoNetworkError: failed to connect to server [mongo:27017] on first connect",
    ),
    "peer-timeout": (
        "wait-for-it.sh: timeout occurred after waiting 15 seconds for db:5432",
        'level=fatal msg="dial tcp 172.25.0.2:3306: connect: connection timed out"',
    ),
    "some-path-denied": (
        "exception in initAndListen: std::exception: open: Permission denied",
        "1:M 05 Mar 02:45:25.007 # Fatal error loading the DB: Permission denied. Exiting.",
    ),
    "pid-file-missing": ("cat: /var/run/mysqld/mysqld.pid: No such file or directory",),
    "file-unopened": (
        'Error: Unable to open pwfile "enabled".',
        "Error: Unable to open config file /mosquitto/config/mosquitto.conf",
    ),
    "data-version": (
        "FATAL: cannot open store: database version 12, but this program needs version 14",
        "Error: incompatible index format version 3, expected version 5",
    ),
    "memory-refused": (
        "[ERROR] InnoDB: Cannot allocate memory for the buffer pool",
        "InnoDB: mmap(137363456 bytes) failed; errno 12",
    ),
    "space-short": (
        "E JOURNAL  [initandlisten] Insufficient free space for journal files",
        "ERROR Unable to write to the backend; HINT: The disk size is less than 900MiB threshold",
    ),
    "share-unfit": (
        "could not open rocksdb instance: IO error: While fsync: a directory: Invalid argument",
        "ERROR Unable to initialize backend: errno 524",
    ),
    "java-libraries": (
        "java.lang.NoSuchMethodError: 'void org.elasticsearch.license.License.<init>(int)'",
    ),
    "path-loops": (
        "cat: can't open '/srv/current/app.conf': Too many levels of symbolic links",
        "Error: ELOOP: too many symbolic links encountered, stat '/app/node_modules/shop'",
        "OSError: [Errno 40] Too many levels of symbolic links: '/mnt/media/films'",
        "open /etc/shop/config.yaml: too many levels of symbolic links",
    ),
    "path-unchangeable": (
        "FATAL: cannot write /var/lib/app/state: Operation not permitted",
        "Error: EPERM: operation not permitted, open '/data/cache/lock'",
        "sh: can't create /data/cache/lock: Operation not permitted",
    ),
    "path-denied": (
        "io.questdb.cairo.CairoException: [13] could not open read-write [file=/var/lib/questdb/db/tables.d.0]",
        'level=error err="open /etc/prometheus/prometheus.yml: operation not permitted"',
        "chmod: /tmp/gitea: Operation not permitted",
        'level=fatal msg="can\'t create /photoprism/storage/sidecar: please check configuration and permissions"',
        "Unable to update instance pid: Unable to create directory /nexus-data/instances",
        "logger.rb:674:in `initialize': Permission denied @ rb_sysopen - /var/log/x.log (Errno::EACCES)",
        "touch: cannot touch '/var/jenkins_home/copy.log': Permission denied",
        "Access to the path '/config/log' is denied.",
    ),
    "folder-not-made": ("java.lang.IllegalStateException: Failed to create cache dir",),
    "path-missing": (
        'ERROR vector::cli: Configuration error. error=data_dir "/var/lib/vector/" does not exist',
        "Config data resource 'file [configs/settings.yml]' via location 'configs/settings.yml' does not exist",
        "error initializing configuration '/etc/envoy/envoy.yaml': Invalid path: /etc/envoy/envoy.yaml",
        "Missing privilege separation directory: /run/sshd",
        "DocumentRoot '/var/www/app/public_html' is not a directory, or is not readable",
        "/opt/python/bin/python3: can't open file '/opt/scripts/create_user.py': [Errno 2] No such file",
        "python: can't open file '/app/main.py': [Errno 2] No such file or directory",
        "Config file '/data/homeserver.yaml' does not exist.",
    ),
    "configuration-syntax": (
        "error parsing config.yml: yaml: line 8: mapping values are not allowed in this context",
        "Could not read configuration file: Near line 23: Expected value but found '/' instead.",
    ),
    "script-words-quoted": (
        "2024-01-20 15:43:16 /var/www/html/entrypoint.sh: 5: php artisan migrate: not found",
        "/start.sh: line 3: npm run start: command not found",
    ),
    "runtime-failed": (
        "Error [ERR_INTERNAL_ASSERTION]: This is caused by either a bug in Node.js or incorrect usage of Node.js internals.",
        "FATAL ERROR: v8::Object::GetCreationContextChecked No creation context available",
        "# Check failed: module->status() == kEvaluating || module->status() == kEvaluated.",
    ),
    "member-missing": (
        "AttributeError: module 'sqlalchemy.dialects.postgresql' has no attribute 'MONEY'",
        "error: Uncaught SyntaxError: The requested module './_yaml/parse.ts' does not provide an export named 'ParseOptions'",
        "php: symbol lookup error: /usr/lib/php/gd.so: undefined symbol: gdImageCreateFromAvif",
    ),
    "support-missing": (
        "limits.errors.ConfigurationError: 'redis' prerequisite not available",
        "error: TLS support is not compiled in",
        "Error: this build was compiled without GeoIP support",
    ),
    "container-gone": (
        'DockerResponseServerError { status_code: 404, message: "No such container: ff2f17da9ebc" }',
        "Error response from daemon: No such container: web",
    ),
    "start-too-slow": (
        "EMQ X Broker 4.2.3 failed to start within 15 seconds,",
        "s6-sudoc: fatal: unable to get exit status from server: Operation timed out",
        "ERROR: timed out waiting for database to come up",
        "Error: worker did not become ready within the time allowed",
    ),
    "folder-not-empty": (
        "⛔️ You can only create a Strapi app in an empty directory. Make sure /srv/app is empty.",
        "fatal: destination path '/srv/app' already exists and is not an empty directory.",
    ),
    "path-in-the-way": ("ln: /config/.code42/log/log: File exists",),
    "added-before": (
        "User with username 'admin' already added to '/opt/jboss/keycloak/standalone/configuration/keycloak-add-user.json'",
    ),
    "configuration-absent": (
        "command traefik error: no configuration found in file: /traefik.toml",
        "You need a conffile /data/riot.im.conf in you conf folder",
    ),
    "variable-offered": ("You must set RUN_INSECURE_SERVER=1 to accept plain connections",),
    "placeholder-kept": (
        "Failed to bind properties under 'server.port' to java.lang.Integer:; Value: \"${SYSH_SERVER_PORT}\"",
        "No help topic for '${SERVER_OR_AGENT}'",
    ),
    "property-unbound": (
        "BindException: Failed to bind properties under 'server.ssl.enabled' to boolean",
    ),
    "address-for-name": (
        "[ warn] [net] getaddrinfo(host='http://collector.dis.svc.cluster.local', err=15): Out of memory",
        "Error: getaddrinfo ENOTFOUND https://db.example.org",
    ),
    "file-of-folder-replaced": ("sed: cannot rename /config/sed0WmDEk: Device or resource busy",),
    "duration-malformed": (
        'failed parsing config: /etc/loki/local-config.yaml: not a valid duration string: "0"',
        'panic: time: missing unit in duration "30"',
    ),
    "boolean-malformed": (
        'strconv.ParseBool: parsing "yes please": invalid syntax',
        "ValueError: Invalid truth value: maybe",
    ),
    "number-malformed": (
        'panic: strconv.Atoi: parsing "penpot": invalid syntax',
        "ValueError: invalid literal for int() with base 10: '80/tcp'",
        'java.lang.NumberFormatException: For input string: "eight"',
        "Failed to convert value of type 'java.lang.String' to required type 'int'; For input string: \"'-1'\"",
    ),
    "number-unnamed": (
        "thread 'main' panicked at 'called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }', src/main.rs:295:79",
        "System.FormatException: Input string was not in a correct format.",
    ),
    "address-relative": (
        "thread 'main' panicked at 'called `Result::unwrap()` on an `Err` value: RelativeUrlWithoutBase': client/src/config.rs:321",
        'Get "": unsupported protocol scheme ""',
    ),
    "field-missing": (
        'called `Result::unwrap()` on an `Err` value: Error("missing field `tid`", line: 23469063, column: 9)',
    ),
    "arguments-of-setting": (
        "Error: adapting config using caddyfile: parsing caddyfile tokens for 'tls': wrong argument count or unexpected line ending after 'tls', at /etc/caddy/Caddyfile:25",
        'nginx: [emerg] invalid number of arguments in "proxy_pass" directive in /etc/nginx/conf.d/a.conf:4',
    ),
    "class-configuration": (
        "shop.boot.InvalidConfigurationException: the tree is not whole",
        "app.settings.SettingsError: nothing fits here",
    ),
    "class-version": ("shop.store.VersionMismatchException: expected four",),
    "class-format": (
        "ruamel.yaml.ScannerError: while looking for the next token",
        "shop.DecodeError: a strange word",
    ),
    "class-absent": ("shop.plans.PlanNotFoundException: basic",),
    "class-value": ("shop.rules.InvalidRuleException: the third one",),
    "class-timeout": ("shop.net.HandshakeTimeoutException: nobody came",),
}
