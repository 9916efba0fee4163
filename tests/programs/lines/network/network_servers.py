"""Lines of real logs for the rows of `diagnose/programs/failures/network/network_servers.py`."""

from __future__ import annotations

LINES = {
    "ups-absent": "   0.000599\tNo matching HID UPS found",
    "certificate-pair-required": "FATAL (shrpx.cc:3677) TLS private key and certificate files are required.  Specify them in command-line",
    "syslog-version": "[2026-12-01T17:44:36.616843] ERROR: configuration files without a version number have become unsupported in syslog-ng 3.13, please specify a version number using @version as the first line in the configuration file;",
    "configuration-example": "ERROR: Please edit the example config file /etc/clamav/clamd.conf",
    "clamav-signatures": "LibClamAV Error: cli_loaddbdir: No supported database files found in /var/lib/clamav",
    "milter-socket": "opendkim: smfi_opensocket() failed",
    "kerberos-no-database": "krb5kdc: cannot initialize realm SHOP.LAB - see log file for details",
    "dhcp-no-subnet": "Not configured to listen on any interfaces!",
    "bind-zone-file": "zone lab/IN: loading from master file /etc/bind/db.lab failed: file not found",
    "squid-folders": "FATAL: Failed to verify one of the swap directories, Check cache.log",
    "certificate-unusable": (
        "[ALERT] (1) : config : 'server app/app1' : unable to load CA file '/etc/ssl/ca.pem'"
    ),
    "haproxy-backend": (
        "[ALERT] (1) : config : Proxy 'web': unable to find required default_backend: 'app'."
    ),
    "nginx-module-version": (
        'nginx: [emerg] module "/etc/nginx/modules/ngx_http_geoip2_module.so" version 1020001 instead of 1022000'
    ),
    "squid-shared-memory": (
        "FATAL: Ipc::Mem::Segment::create failed to shm_open(/squid-cf__metadata.shm): (17) File exists"
    ),
    "coredns-loop": ('[FATAL] plugin/loop: Loop (127.0.0.1:38121 -> :53) detected for zone "."'),
    "bind-zone": ("zone example.org/IN: has no NS records"),
    "wireguard-module": ("Error: Unknown device type."),
    "openvpn-list-expired": ("VERIFY ERROR: depth=0, error=CRL has expired: CN=laptop"),
    "openvpn-file-missing": (
        "Options error: In [CMD-LINE]:1: Error opening configuration file: client.ovpn"
    ),
    "postfix-interface": (
        "fatal: parameter inet_interfaces: no local interface found for 10.1.1.1"
    ),
    "artifactory-key": (
        "[ERROR] (o.a.c.JoinKey) Master key is missing. Pending for 10 seconds with 60 seconds timeout"
    ),
    "ftp-folder-missing": ("500 OOPS: cannot change directory:/home/vsftpd/user"),
    "airflow-running": (
        "airflow.exceptions.AirflowException: The webserver is already running under PID 17."
    ),
}
