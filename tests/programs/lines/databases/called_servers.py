"""Lines of real logs for the rows of `diagnose/programs/failures/databases/called_servers.py`."""

from __future__ import annotations

LINES = {
    "registry-login": (
        'level=fatal msg="configuring application: unable to configure authorization (htpasswd): no access controller registered with name: htpasswd"'
    ),
    "ftp-writable-root": ("500 OOPS: vsftpd: refusing to run with writable root inside chroot()"),
    "ftp-calls-back": ("ftplib.error_temp: 425 Can't build data connection: Connection timed out"),
    "redis-replica": "ReadOnlyError: READONLY You can't write against a read only replica.",
    "redis-master-gone": "# Error condition on socket for SYNC: Connection refused",
    "mongo-no-primary": "MongoError: not master and slaveOk=false",
    "database-read-only": "ERROR:  cannot execute INSERT in a read-only transaction",
    "tls-expected": (
        "received plaintext http traffic on an https channel, closing connection "
        "Netty4HttpChannel{localAddress=/172.18.0.2:9200, remoteAddress=/172.18.0.3:50816}"
    ),
    "redis-protected": (
        "redis.exceptions.ResponseError: DENIED Redis is running in protected mode because protected mode "
        "is enabled and no password is set for the default user."
    ),
    "redis-full": "ReplyError: OOM command not allowed when used memory > 'maxmemory'.",
    "amqp-arguments": (
        "(406, \"PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'orders' in vhost "
        "'/': received none but current is the value 'quorum' of type 'longstr'\")"
    ),
    "kafka-offset": "arroyo.errors.OffsetOutOfRange: KafkaError{code=_AUTO_OFFSET_RESET,val=-140}",
    "mongoose-buffering": (
        "MongooseError: Operation `users.findOne()` buffering timed out after 10000ms"
    ),
    "search-migration": (
        "Another Kibana instance appears to be migrating the index. Waiting for that migration to "
        "complete. If no other Kibana instance is attempting migrations, you can get past this "
        "message by deleting index .kibana_16 and restarting Kibana."
    ),
    "issuer-differs": (
        "[main.go:60] ERROR: Failed to initialise OAuth2 Proxy: error initialising provider: oidc: "
        "issuer did not match the issuer returned by provider, expected "
        '"http://keycloak:28080/realms/shop" got "http://localhost:28080/realms/shop"'
    ),
    "grpc-preface": (
        '{"level":"error","error":"rpc error: code = Unavailable desc = connection closed before server '
        'preface received","message":"grpc error: done()"}'
    ),
    "vault-sealed": 'read secret failed: 503 - {"errors":["Vault is sealed"]}',
    "search-flood": (
        'AuthorizationException(403, "cluster_block_exception", "index [orders-2026] blocked by: '
        '[FORBIDDEN/12/index read-only / allow delete (api)];")'
    ),
    "redis-unsaved": (
        "redis.exceptions.ResponseError: MISCONF Redis is configured to save RDB snapshots, but it is "
        "currently unable to persist on disk."
    ),
    "minio-drive-slow": "Error: node(127.0.0.1:9000): taking drive /data offline: unable to write+read for 34.162s (*errors.errorString)",
    "login-strategy": 'error: ErrorController => error Unknown authentication strategy "openid"',
    "zigbee-network": "[2024-09-05 20:10:31] error: \tz2m: Error: startup failed - configuration-adapter mismatch - see logs above for more information",
    "php-upload": "PHP Warning:  POST Content-Length of 12345678 bytes exceeds the limit of 8388608 bytes in Unknown on line 0",
    "servlet-part": (
        "SEVERE [main] org.apache.catalina.core.StandardContext.startInternal One or more listeners failed to start. "
        "Full details will be found in the appropriate container log file"
    ),
    "elastic-user-refused": (
        "security_exception: unable to authenticate user [kibana_system] for REST request "
        "[/_nodes?filter_path=nodes.*.version]"
    ),
    "clickhouse-client-refused": (
        "2024.01.05 10:00:00.000000 [ 61 ] {} <Error> Access(user directories): from: 172.18.0.3, user: default: "
        "Authentication failed: Code: 193. DB::Exception: Invalid credentials. (WRONG_PASSWORD)"
    ),
    "chrome-ends": "(session not created: DevToolsActivePort file doesn't exist)",
    "search-watermark": "[WARN ][o.e.c.r.a.DiskThresholdMonitor] [node-1] high disk watermark [90%] exceeded on [kT0][node-1][/usr/share/elasticsearch/data/nodes/0] free: 5gb[5%], shards will be relocated away from this node",
}
