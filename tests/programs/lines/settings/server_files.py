"""Lines of real logs for the rows of `diagnose/programs/failures/settings/server_files.py`."""

from __future__ import annotations

LINES = {
    "php-session-address": (
        "PHP Warning:  session_start(): open(tcp://redis:6379/sess_4f1e2cc1a8b0d9, O_RDWR) failed: No such file or "
        "directory (2) in /var/www/html/lib/private/Session/Internal.php on line 222"
    ),
    "redis-dir": "Permission denied; Reading the configuration file, at line 2; >>> 'dir /data'",
    "redis-directive-of-another": (
        "*** FATAL CONFIG FILE ERROR *** Bad directive or wrong number of arguments; Reading the configuration file, at line 335; >>> 'rdb-del-sync-files no'"
    ),
    "nginx-twice": 'nginx: [emerg] "client_max_body_size" directive is duplicate in /etc/nginx/nginx.conf:52',
    "nginx-block-twice": 'nginx: [emerg] duplicate location "/" in /etc/nginx/conf.d/default.conf:20',
    "nginx-default-twice": "nginx: [emerg] a duplicate default server for 0.0.0.0:80 in /etc/nginx/conf.d/b.conf:2",
    "nginx-cut-off": 'nginx: [emerg] unexpected end of file, expecting "}" in /etc/nginx/conf.d/default.conf:12',
    "nginx-part-alone": 'nginx: [emerg] no "events" section in configuration',
    "nginx-names-long": (
        "nginx: [emerg] could not build server_names_hash, you should increase server_names_hash_bucket_size: 64"
    ),
    "nginx-module-lost": (
        'nginx: [emerg] dlopen() "/etc/nginx/modules/ngx_http_geoip_module.so" failed (/etc/nginx/modules/'
        "ngx_http_geoip_module.so: cannot open shared object file: No such file or directory)"
    ),
    "nginx-parameter": 'nginx: [emerg] invalid parameter "http2" in /etc/nginx/conf.d/default.conf:3',
    "redis-line": (
        "wrong number of arguments; Reading the configuration file, at line 3; >>> 'requirepass'"
    ),
    "mysql-group-missing": (
        "mysqld: [ERROR] Found option without preceding group in config file /etc/mysql/conf.d/my.cnf at line 1."
    ),
    "php-fpm-pool": (
        "[01-May-2024 10:00:00] ERROR: No pool defined. at least one pool section must be specified in config file"
    ),
    "apache-variables": (
        "apache2: Syntax error on line 80 of /etc/apache2/apache2.conf: DefaultRuntimeDir must be a valid directory, "
        "absolute or relative to ServerRoot"
    ),
    "sshd-keys": "sshd: no hostkeys available -- exiting.",
    "django-hosts": "CommandError: You must set settings.ALLOWED_HOSTS if DEBUG is False.",
    "php-fpm-entry": "ERROR: [/usr/local/etc/php-fpm.d/www.conf:12] unknown entry 'pm.max_childrens'",
    "apache-file": (
        "SSLCertificateFile: file '/usr/local/apache2/conf/server.crt' does not exist or is empty"
    ),
    "openldap-tls": "6597c2c0 main: TLS init def ctx failed: -1",
    "emqx-settings": (
        "ERROR: call_hocon_failed: -v -t 2024.01.05.10.00.00 -s /opt/emqx/lib/emqx_conf_schema -c "
        "/opt/emqx/etc/emqx.conf generate"
    ),
    "nginx-uri-part": (
        'nginx: [emerg] "proxy_pass" cannot have URI part in location given by regular expression, or inside named '
        'location, or inside "if" statement, or inside "limit_except" block in /etc/nginx/conf.d/default.conf:12'
    ),
}
