"""Lines of real logs for the rows of `diagnose/programs/failures/products/given_up_starts.py`."""

LINES = {
    "process-not-default": (
        "ERROR: failed to launch: determine start command: when there is no default process a command is required"
    ),
    "web-server-not-built-in": (
        "ApplicationContextException: Unable to start ServletWebServerApplicationContext due to missing "
        "ServletWebServerFactory bean."
    ),
    "services-too-slow": "s6-rc: fatal: timed out",
    "docker-proxy-forbids": (
        '{"level":"fatal","error":"Error response from daemon: <html><body><h1>403 Forbidden</h1>\\nRequest forbidden by '
        'administrative rules.\\n</body></html>","message":"error running agent"}'
    ),
    "steam-offline": (
        "[----] !!! Fatal Error: Steamcmd needs to be online to update. Please confirm your network connection and try again."
    ),
    "bot-token-missing": (
        "telegram.error.InvalidToken: You must pass the token you received from https://t.me/Botfather!"
    ),
    "models-unloaded": "error: creating server: Internal - failed to load all models",
    "licence-variable": (
        "In order to use Neo4j Enterprise Edition you must accept the license agreement.\n"
        "To do so set NEO4J_ACCEPT_LICENSE_AGREEMENT=yes in the license settings"
    ),
    "metabase-downgrade": (
        "clojure.lang.ExceptionInfo: Downgrade detected. Please run `migrate down` from version 52 {:to 51}"
    ),
    "immich-vectors": "ERROR [Microservices:DatabaseService] Failed to activate pgvecto.rs extension.",
    "application-user-other": (
        "[FATAL] [...o/gogs/internal/cmd/web.go:170 runWeb()] Failed to initialize application: init configuration: user "
        'configured to run Gogs is "git", but the current user is "root"'
    ),
    "cloudflared-last-rule": (
        "ERR Couldn't start tunnel error=\"The last ingress rule must match all URLs (i.e. it should not have a hostname "
        'or path filter)"'
    ),
    "cloudflared-certificate": (
        "ERR Cannot determine default origin certificate path. No file cert.pem in [~/.cloudflared /etc/cloudflared]. You "
        "need to specify the origin certificate path"
    ),
    "portainer-two-databases": (
        'FTL main.go:90 > failed opening store | error="Portainer has detected both an encrypted and un-encrypted database '
        'and cannot start.  Only one database should exist"'
    ),
    "gitlab-runner-refused": "FATAL: Failed to verify runner glrt-abc",
    "qdrant-first-peer": "Error: First peer should specify its uri",
    "typesense-nodes-empty": (
        "E20261201 10:00:00.000000     1 typesense_server.cpp:120] Error reading file containing nodes configuration: File "
        "containing nodes configuration is empty."
    ),
    "flyway-not-empty": (
        'ERROR: Found non-empty schema(s) "public" but no schema history table. Use baseline() or set baselineOnMigrate to '
        "true to initialize the schema history table."
    ),
    "flyway-failed-before": (
        "ERROR: Validate failed: Migrations have failed validation\nDetected failed migration to version 3 (add orders)."
    ),
    "flyway-address": "ERROR: Unable to connect to the database. Configure the url, user and password!",
    "flyway-database-unknown": "ERROR: Unsupported Database: PostgreSQL 17.0",
    "flyway-placeholder": (
        "ERROR: Unable to parse statement in V1__init.sql\nNo value provided for placeholder: ${TENANT}.  Check your configuration!"
    ),
    "liquibase-driver": "Unexpected error running Liquibase: Cannot find database driver: com.mysql.cj.jdbc.Driver",
    "liquibase-changelog": (
        "Unexpected error running Liquibase: The file db/changelog.xml was not found in the configured search path:"
    ),
    "sequelize-dialect": "Error: Dialect needs to be explicitly supplied as of v4.0.0",
    "coredns-zone-twice": "cannot serve dns://.:53 - it is already defined",
    "zigbee-network-exists": (
        "error: z2m: Error: network commissioning failed - most likely network with the same panId or extendedPanId already "
        "exists nearby"
    ),
    "ghost-theme-missing": 'ERROR The currently active theme "casper2" is missing.',
    "plugin-not-installed": (
        "django.core.exceptions.ImproperlyConfigured: Unable to import plugin netbox_dns: Module not found. Check that the "
        "plugin module has been installed"
    ),
    "consul-node-id": (
        '[ERROR] agent: startup error: error="error loading node id: invalid value in /consul/data/node-id: UUID must be 36 '
        'characters"'
    ),
    "nodered-port-used": "1 Dec 10:00:00 - [error] Error: port in use",
}
