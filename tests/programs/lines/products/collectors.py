"""Lines of real logs for the rows of `diagnose/programs/failures/products/collectors.py`."""

LINES = {
    "influx-config-left": 'Error: config name "default" already exists',
    "grafana-plugin-unknown": "Error: \u2717 failed to install plugin grafana-piechart: 404: Plugin not found",
    "followed-folder": 'caller=filetarget.go:272 msg="failed to tail file" error="file is a directory" filename=/var/log',
    "gossip-address": (
        'ts=2024-01-05T10:00:00.000Z caller=main.go:221 level=error msg="unable to initialize gossip mesh" err="create '
        'memberlist: Failed to get final advertise address: No private IP address found, and explicit IP not provided"'
    ),
    "notification-refused": (
        'ts=2024-01-05T10:00:00.000Z caller=dispatch.go:353 level=error component=dispatcher msg="Notify for alerts '
        'failed" num_alerts=1 err="slack/slack[0]: notify retry canceled due to unrecoverable error after 1 attempts: '
        'channel \\"#alerts\\": unexpected status code 404: channel_not_found"'
    ),
    "loki-rate": (
        'level=warn caller=client.go:419 component=client host=loki:3100 msg="error sending batch, will retry" '
        'status=429 error="server returned HTTP status 429 Too Many Requests (429): Ingestion rate limit exceeded for '
        "user fake (limit: 4194304 bytes/sec) while attempting to ingest '1000' lines totaling '1048000' bytes\""
    ),
    "influx-token": (
        "2024-01-05T10:00:00Z E! [outputs.influxdb_v2] Failed to write metric to telegraf (will be dropped: 401 "
        "Unauthorized): unauthorized: unauthorized access"
    ),
    "influx-database": (
        "2024-01-05T10:00:00Z E! [outputs.influxdb] Failed to write metric (will be dropped: 404 Not Found): database "
        'not found: "telegraf"'
    ),
    "fluentd-overflow": (
        "2024-01-05 10:00:00 +0000 [warn]: #0 failed to write data into buffer by buffer overflow action=:throw_exception"
    ),
    "fluent-bit-name": "[2024/01/05 10:00:00] [error] [config] section 'output' is missing the 'name' property",
    "grafana-unsigned": (
        'logger=plugin.loader level=error msg="Plugin validation failed" pluginID=shop-panel error="plugin '
        "'shop-panel' is unsigned\""
    ),
    "zabbix-server-version": (
        "   1:20240105:100000.000  Unable to start Zabbix server due to unsupported PostgreSQL database version (16.0)."
    ),
    "zabbix-schema": (
        "   1:20240105:100000.000 The Zabbix database version does not match current requirements: your database "
        "version (mandatory/optional): 06000000/06000043. Required mandatory version: 06040000."
    ),
    "zabbix-agent": (
        '   214:20240105:100000.000 Zabbix agent item "agent.ping" on host "Zabbix server" failed: first network '
        "error, wait for 15 seconds"
    ),
    "zabbix-waits": "**** PostgreSQL server is not available. Waiting 5 seconds...",
    "beats-server-older": (
        '{"log.level":"error","message":"Failed to connect to backoff(elasticsearch(http://elasticsearch:9200)): '
        "Connection marked as failed because the onConnect callback failed: Elasticsearch is too old. Please upgrade "
        'the instance."}'
    ),
    "security-index-absent": (
        "[2024-01-05T10:00:00,000][ERROR][o.o.s.a.BackendRegistry  ] [node1] Not yet initialized (you may need to run "
        "securityadmin)"
    ),
    "datadog-host-name": (
        "Error while initializing agent: unable to reliably determine the host name. You can define one in the agent "
        "config file or in your hosts file"
    ),
    "cadvisor-layers": (
        "Failed to create existing container: /system.slice/docker-abc.scope: failed to identify the read-write layer "
        'ID for container "abc".'
    ),
    "option-one-of": (
        "At least one of --config-path or --config-yaml or Options::configProto() should be non-empty"
    ),
}
