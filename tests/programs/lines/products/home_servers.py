"""Lines of real logs for the rows of `diagnose/programs/failures/products/home_servers.py`."""

LINES = {
    "n8n-command": "Error: command /bin/sh not found",
    "loki-schema-absent": (
        "panic: runtime error: index out of range [0] with length 0\n"
        "github.com/grafana/loki/v3/pkg/loki.validateSchemaRequirements(0xc000c74000)"
    ),
    "mqtt-address-bare": "Zigbee2MQTT:error 2020-09-23 10:00:03: MQTT failed to connect: Missing protocol",
    "home-secret-undefined": "ERROR (MainThread) [homeassistant.bootstrap] Failed to parse configuration.yaml: Secret mqtt_password not defined. Activating recovery mode",
    "nodered-credentials": "1 May 10:00:00 - [error] Error loading credentials: SyntaxError: Unexpected token in JSON at position 0",
    "download-elsewhere": (
        "[Warn] DownloadedMovieImportService: Import failed, path does not exist or is not accessible by Radarr: "
        "/downloads/complete/Movie.2020. Ensure the path exists and the user running Radarr has the correct permissions"
    ),
    "steam-folder-denied": "ERROR! Failed to install app '896660' (Disk write failure)",
    "private-address-refused": (
        "Error: DNS lookup 10.0.0.206(family:4, host:10.0.0.206) is not allowed. Because, It is private IP address."
    ),
    "dns-of-others-ignored": (
        "2025-03-05 10:00:01.123 UTC [53/T54] WARNING: dnsmasq: ignoring query from non-local network 192.168.1.20 "
        "(logged only once)"
    ),
    "dnssec-missing": (
        "CRITICAL:root:Your DNS resolver at 127.0.0.11 isn't doing DNSSEC validation; Please see "
        "https://mailu.io/master/faq.html"
    ),
    "tunnel-quic-closed": (
        '2024-01-05T10:00:01Z ERR Failed to dial a quic connection error="failed to dial to edge with quic: timeout: '
        'no recent network activity" connIndex=0'
    ),
    "zone-of-domain-unknown": (
        "Unable to determine zone_id for example.org using zone names: ['example.org', 'org']. Please confirm that the "
        "domain name has been entered correctly"
    ),
    "omada-database-older": (
        "ERROR: Your persistent data for MongoDB is using WiredTiger 3.1.0 (an older MongoDB) but this version of the "
        "image has MongoDB 8.0.4!"
    ),
    "inner-mongodb-unsuited": (
        "ERROR [mongo-check-thread] [] c.t.s.f.c.FacadeUtils(): facadeMsgEnable is not enable, msg: Fail to start mongo "
        "DB server with exit code 132"
    ),
    "inner-mongodb-ended": (
        "ERROR [mongo-check-thread] [] c.t.s.f.c.FacadeUtils(): facadeMsgEnable is not enable, msg: Fail to start mongo "
        "DB server with exit code 100"
    ),
    "portainer-edition": (
        'FTL main.go:96 > failed initializing data store | error="the Portainer database is set for Portainer Business '
        'Edition, please follow the instructions in our documentation to downgrade it"'
    ),
    "h2-format": (
        'Caused by: org.h2.jdbc.JdbcSQLNonTransientConnectionException: General error: "The write format 1 is smaller '
        'than the supported format 2 [2.1.212/5]" [50000-212]'
    ),
    "loki-structured-metadata": (
        "CONFIG ERROR: schema v13 is required to store Structured Metadata and use native OTLP ingestion, your schema "
        "version is v11."
    ),
    "loki-lines-too-old": (
        "server returned HTTP status 400 Bad Request (400): entry with timestamp 2023-12-20 10:00:00 +0000 UTC ignored, "
        "reason: 'entry too far behind, entry timestamp is: 2023-12-20T10:00:00Z'"
    ),
    "kafka-topic-absent": (
        'cexc.KafkaException: KafkaError{code=UNKNOWN_TOPIC_OR_PART,val=3,str="Subscribed topic not available: '
        'ingest-events: Broker: Unknown topic or partition"}'
    ),
    "zigbee-adapter": (
        "error: z2m: Error: USB adapter discovery error (No valid USB adapter found). Specify valid 'adapter' and 'port' "
        "in your configuration."
    ),
    "clock-unsynchronised": (
        'level=error msg="Error occurred running a startup check" error="the system clock is not synchronized accurately '
        'enough with the configured NTP server" provider=ntp'
    ),
    "extension-needs-superuser": (
        'level=ERROR msg="[Migration v1] pq: permission denied to create extension \\"hstore\\""'
    ),
    "localhost-unresolved": (
        '[127-1] LOG:  could not translate host name "localhost", service "5432" to address: Temporary failure in name '
        "resolution"
    ),
    "rocketchat-locked": "|                            Database locked at version: 303                              |",
    "encoder-without-card": "[h264_nvenc @ 0x55d0c8a0] Cannot load libcuda.so.1",
    "unifi-database": "[2024-01-05 10:00:00,123] <db-server> ERROR system - [exec] error, rc=14",
    "mail-accounts-missing": "[   ERROR   ]  No accounts provided - shutting down",
}
