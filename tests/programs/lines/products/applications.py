"""Lines of real logs for the rows of `diagnose/programs/failures/products/applications.py`."""

from __future__ import annotations

LINES = {
    "mark-missing": (
        "ERROR [Microservices:StorageService] Failed to read upload/encoded-video/.immich: Error: ENOENT: "
        "no such file or directory, open 'upload/encoded-video/.immich'"
    ),
    "collation-wrong": "    Database has incorrect collation of 'en_US.utf8'. Should be 'C'",
    "encoding-wrong": (
        "[F] Failed to initialize ORM engine: pq: new encoding (UTF8) is incompatible with the encoding of the "
        "template database (SQL_ASCII)"
    ),
    "zigbee-firmware": "error: zh:ember: Adapter EZSP protocol version (8) is not supported by Host [13-16].",
    "requirements-not-installed": (
        "ERROR (MainThread) [homeassistant.setup] Setup failed for custom integration 'hacs': Requirements for hacs "
        "not found: ['aiogithubapi>=22.10.1']."
    ),
    "traefik-many-services": (
        "ERR Could not define the service name for the router: too many services providerName=docker routerName=web"
    ),
    "acme-name-unknown": (
        "HTTP 400 urn:ietf:params:acme:error:dns - DNS problem: NXDOMAIN looking up A for shop.example.org - check "
        "that a DNS record exists for this domain"
    ),
    "data-on-system-disk": "FATAL Unable to initialize backend: drive is part of root drive, will not be used",
    "portainer-data": "2023/12/07 15:46:29 Object not found inside the database",
    "owner-unchangeable": (
        'initdb: could not change permissions of directory "/var/lib/postgresql/data": Operation not permitted'
    ),
    "web-files-empty": (
        "System.InvalidOperationException: The server is expected to host the web client, but the provided content "
        "directory is either invalid or empty: /jellyfin/jellyfin-web. If you do not want to host the web client"
    ),
    "another-machine-unknown": (
        'level=fatal msg="starting outputs error : authenticate watcher (localhost): API error: ent: machine not found"'
    ),
    "plugin-of-another-version": (
        " - Jenkins Subversion Plug-in version 1.54 is older than required. To fix, install version 2.5.7 or later."
    ),
    "class-of-a-plugin": (
        "com.thoughtworks.xstream.mapper.CannotResolveClassException: hudson.security.GlobalMatrixAuthorizationStrategy"
    ),
    "zigbee-silent": "Error: Failed to connect to the adapter (Error: SRSP - SYS - ping after 6000ms)",
    "coral-missing": (
        "frigate.edgetpu ERROR   : No EdgeTPU was detected. If you do not have a Coral device yet, you must "
        "configure CPU detectors."
    ),
    "bus-error": "Fatal Python error: Bus error",
    "dnsmasq-capabilities": "Jan 18 14:36:44 dnsmasq[9797]: setting capabilities failed: Operation not permitted",
    "file-capabilities-lost": (
        "frk-00035-00035 [ forkit ] FTL  Capabilities are not set for the coolforkit program.| kit/ForKit.cpp:168"
    ),
    "postgres-socket": (
        'PG::ConnectionBad: connection to server on socket "/var/opt/gitlab/postgresql/.s.PGSQL.5432" failed: '
        "No such file or directory"
    ),
    "mysql-function-creators": (
        "ERROR 1419 (HY000) at line 2119: You do not have the SUPER privilege and binary logging is enabled (you "
        "*might* want to use the less safe log_bin_trust_function_creators variable)"
    ),
    "server-awaited": "Unable to connect after 5 tries.",
    "name-given-up": "Healthcheck: Couldn't resolve fuzzy.mailcow.email after 3 attempts... Gave up!",
    "vpn-login-refused": "WARN [openvpn] AUTH: Received control message: AUTH_FAILED",
    "outpost-refused": (
        '{"error":"403 Forbidden","event":"Failed to fetch outpost configuration, retrying in 3 seconds",'
        '"level":"error","logger":"authentik.outpost.ak-api-controller"}'
    ),
    "search-path-repo": "    🗙 path.repo env var not found. set the following env var to the ES container:",
    "container-misnamed": (
        "It seems like you did not give the mastercontainer the correct name? "
        "(The 'nextcloud-aio-mastercontainer' container was not found.)"
    ),
    "traefik-no-address": (
        'level=error msg="service \\"app-shop\\" error: unable to find the IP address for the container \\"/app\\": '
        'the server is ignored" container=app-shop-0123 providerName=docker'
    ),
    "traefik-rule": (
        'ERR error="error while parsing rule Host(`a.example.org`, `b.example.org`): unexpected number of '
        'parameters; got 2, expected one of [1]" entryPointName=websecure routerName=shop@docker'
    ),
    "traefik-certificates": (
        'level=error msg="The ACME resolver \\"cloudflare\\" is skipped from the resolvers list because: unable to '
        "get ACME account: invalid character '-' in numeric literal\""
    ),
    "acme-challenge-failed": "Challenge failed for domain home.example.org",
    "keycloak-unbuilt": (
        "The '--optimized' flag was used for first ever server start. Please don't use this flag for the first "
        "startup or use 'kc.sh build' to build the server first."
    ),
    "value-cut-off": (
        "1631261934: Error: Invalid protocol value (websockets; 1631261934: Error found at "
        "/mosquitto/config/mosquitto.conf:2."
    ),
    "ipv6-address-refused": (
        "ERROR [vpn] cannot add address to wireguard interface: permission denied: when adding address "
        "fd00:a:b:c::d/128 to link tun0"
    ),
    "uwsgi-no-application": "--- no python application found, check your startup logs for errors ---",
    "postgres-no-host": "PG::ConnectionBad: could not connect to server: No such file or directory",
}
