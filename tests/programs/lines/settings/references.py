"""Lines of real logs for the rows of `diagnose/programs/failures/settings/references.py`."""

from __future__ import annotations

LINES = {
    "traefik-port": 'level=error msg="service \\"shop-stack\\" error: port is missing" providerName=docker container=shop-stack-8d1c',
    "apache-module": "Invalid command 'RewriteEngine', perhaps misspelled or defined by a module not included in the server configuration",
    "part-renamed": "error decoding 'exporters': the logging exporter has been deprecated, use the debug exporter instead",
    "fluent-bit-plugin": "[error] [config] section 'output' tried to instance a plugin name that doesn't exist",
    "wildfly-service": 'ERROR WFLYCTL0013: Operation ("deploy") failed - failure description: {"WFLYCTL0412: Required services that are not installed:" => ["jboss.naming.context.java.jboss.datasources.ShopDS"]}',
    "guest-from-afar": "[error] <0.912.0> PLAIN login refused: user 'guest' can only connect via localhost",
    "configuration-written": "thread 'main' panicked at 'called `Result::unwrap()` on an `Err` value: CreatedNewConfigHalt { location: Location { file: \"lib.rs\" } }', src/bootstrap/app.rs:83:52",
    "docker-client-older": "problem: Cannot build ImageInfo, some of required attributes are not set [parent, dockerVersion, author]",
    "apache-word": (
        "AH00526: Syntax error on line 337 of /etc/apache2/apache2.conf: Invalid command 'io', perhaps misspelled or "
        "defined by a module not included in the server configuration"
    ),
}
