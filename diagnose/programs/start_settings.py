"""Servers that read their files of settings only at a start or a reload, with these files. Pure.

A program that looks at its files again by itself is not here: Traefik's dynamic files, the pages
and the .htaccess of Apache, the targets of Prometheus.
"""

import msgspec

from diagnose.lazy_pattern import LazyPattern


class StartSettings(msgspec.Struct, frozen=True):
    """A server, and the files that it reads at its start."""

    place: LazyPattern
    """The paths of these files in the container."""
    reload: str = ""
    """A command in the container that reads them again; it looks at them first."""
    signal: str = ""
    """The signal to read them again, where no command looks at them first."""
    has_new_workers: bool = False
    """Whether a reload shows: it starts new processes of the same name."""


_APACHE = LazyPattern(
    r"^/(?:etc/(?:apache2|httpd)/(?!.*-available/)|usr/local/apache2/conf/).*\.conf$"
    r"|^/usr/local/etc/php/(?:conf\.d/[^/]*|php)\.ini$"
)
"""Settings of Apache, and those of PHP in its process."""
_MYSQL = LazyPattern(r"^/etc/(?:my\.cnf$|mysql/.*\.cnf$|my\.cnf\.d/.*\.cnf$)")
"""The folders of option files that MySQL and MariaDB read."""
_REDIS = LazyPattern(r"^/(?:usr/local/)?etc/(?:redis|valkey)/(?:redis|valkey)\.conf$")
_PHP = LazyPattern(
    r"^/usr/local/etc/(?:php/(?:conf\.d/[^/]*|php)\.ini|php-fpm\.(?:d/[^/]*\.)?conf)$"
)
"""Settings of PHP, and those of its process manager."""

START_SETTINGS = {
    "alertmanager": StartSettings(
        LazyPattern(r"^/etc/alertmanager/(?:alertmanager|config)\.ya?ml$"), signal="HUP"
    ),
    "apache2": StartSettings(_APACHE, reload="apachectl -t && apachectl -k graceful"),
    "caddy": StartSettings(
        LazyPattern(r"^/etc/caddy/Caddyfile$"), reload="caddy reload --config /etc/caddy/Caddyfile"
    ),
    "dnsmasq": StartSettings(LazyPattern(r"^/etc/dnsmasq(?:\.d/.*)?\.conf$")),
    "grafana": StartSettings(LazyPattern(r"^/etc/grafana/grafana\.ini$")),
    "haproxy": StartSettings(
        LazyPattern(r"^/(?:usr/local/)?etc/haproxy/.*\.cfg$"), signal="HUP", has_new_workers=True
    ),
    "httpd": StartSettings(_APACHE, reload="httpd -t && httpd -k graceful"),
    "loki": StartSettings(LazyPattern(r"^/etc/loki/[^/]*\.ya?ml$")),
    "mariadbd": StartSettings(_MYSQL),
    "mosquitto": StartSettings(
        LazyPattern(r"^/(?:etc/mosquitto|mosquitto/config)/(?:conf\.d/[^/]*|mosquitto)\.conf$")
    ),
    "mysqld": StartSettings(_MYSQL),
    "named": StartSettings(LazyPattern(r"^/etc/bind/.*\.conf(?:\.[\w-]+)?$"), signal="HUP"),
    "nginx": StartSettings(
        LazyPattern(r"^/etc/nginx/(?!.*-available/).*\.conf$"),
        reload="nginx -t && nginx -s reload",
        has_new_workers=True,
    ),
    "php-fpm": StartSettings(_PHP, signal="USR2"),
    "prometheus": StartSettings(LazyPattern(r"^/etc/prometheus/prometheus\.ya?ml$"), signal="HUP"),
    "promtail": StartSettings(LazyPattern(r"^/etc/promtail/[^/]*\.ya?ml$")),
    "redis-server": StartSettings(_REDIS),
    "squid": StartSettings(LazyPattern(r"^/etc/squid/.*\.conf$"), reload="squid -k reconfigure"),
    "telegraf": StartSettings(LazyPattern(r"^/etc/telegraf/.*\.conf$"), signal="HUP"),
    "traefik": StartSettings(LazyPattern(r"^/etc/traefik/traefik\.(?:ya?ml|toml)$")),
    "turnserver": StartSettings(LazyPattern(r"^/etc/(?:coturn/)?turnserver\.conf$")),
    "unbound": StartSettings(LazyPattern(r"^/(?:opt/unbound/)?etc/unbound/.*\.conf$")),
    "valkey-server": StartSettings(_REDIS),
}
"""By the name of the process."""
