"""The keys of labels that programs read of containers, by program. Pure data."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.label_keys import LabelKeys
from diagnose.programs.label_readers import AUTOHEAL, DIUN, OFELIA, WATCHTOWER

_CADDY = (
    "abort|acme_server|basic_auth|basicauth|bind|encode|error|file_server|forward_auth|handle"
    "|handle_errors|handle_path|header|import|intercept|invoke|log|log_append|map|method|metrics"
    "|php_fastcgi|push|redir|request_body|request_header|respond|reverse_proxy|rewrite|root|route"
    "|templates|tls|tracing|try_files|uri|vars|email|acme_ca|acme_dns|admin|auto_https|debug"
    "|local_certs|on_demand_tls|order|servers|storage"
)
_TRAEFIK_MIDDLEWARES = (
    "addprefix|basicauth|buffering|chain|circuitbreaker|compress|contenttype|digestauth|errors"
    "|forwardauth|grpcweb|headers|ipallowlist|ipwhitelist|inflightreq|inflightconn"
    "|passtlsclientcert|plugin|ratelimit|redirectregex|redirectscheme|replacepath"
    "|replacepathregex|retry|stripprefix|stripprefixregex"
)
_ROUTER = "rule|entrypoints|middlewares|service|priority|rulesyntax|tls|observability"
_WATCHTOWER = "com.centurylinklabs.watchtower"

LABEL_KEYS = (
    LabelKeys(
        LazyPattern(r"(?:^|/)traefik(?:@|$|:(?!v?1(?:[.-]|$)))"),
        "Traefik",
        (
            "traefik.enable",
            "traefik.docker|swarm.network|lbswarm",
            f"traefik.http|tcp.routers.*.{_ROUTER}",
            "traefik.http|tcp.routers.*.tls.certresolver|options|passthrough",
            "traefik.http|tcp.routers.*.tls.domains.main|sans",
            "traefik.http|tcp.routers.*.observability.**",
            "traefik.http|tcp.services.*.loadbalancer.server.port|scheme|url|weight|preservepath|tls",
            (
                "traefik.http|tcp.services.*.loadbalancer.sticky|healthcheck|responseforwarding"
                "|proxyprotocol.**"
            ),
            (
                "traefik.http|tcp.services.*.loadbalancer.passhostheader|serverstransport|strategy"
                "|terminationdelay"
            ),
            "traefik.http|tcp.services.*.weighted|mirroring|failover.**",
            f"traefik.http|tcp.middlewares.*.{_TRAEFIK_MIDDLEWARES}.**",
            "traefik.http|tcp.serverstransports.**",
            "traefik.udp.routers.*.entrypoints|service",
            "traefik.udp.services.*.loadbalancer.server.port",
            "traefik.tls.stores|options.**",
        ),
        former=LazyPattern(r"(?i)^traefik\.(?:frontend\.|backend(?:\.|$)|port$|protocol$|weight$)"),
        successor="traefik.http.routers.*.rule",
    ),
    LabelKeys(
        LazyPattern(r"(?:^|/)caddy-docker-proxy(?:[:@]|$)"),
        "Caddy",
        ("caddy", f"caddy.{_CADDY}.**"),
    ),
    LabelKeys(
        WATCHTOWER,
        "Watchtower",
        (
            _WATCHTOWER,
            f"{_WATCHTOWER}.enable|monitor-only|no-pull|scope|stop-signal|depends-on",
            (
                f"{_WATCHTOWER}.lifecycle.pre-check|post-check|pre-update|post-update|pre-update-timeout"
                "|post-update-timeout|uid|gid"
            ),
        ),
    ),
    LabelKeys(
        OFELIA,
        "Ofelia",
        (
            (
                "ofelia.enabled|service|save-folder|save-only-on-error|slack-webhook|mail-only-on-error"
                "|smtp-host|smtp-port|smtp-user|smtp-password|email-to|email-from"
            ),
            (
                "ofelia.job-exec|job-run|job-local|job-service-run.*.schedule|command|container|user|tty"
                "|no-overlap|image|network|hostname|delete|volume|environment|dir|save-folder"
                "|save-only-on-error|slack-webhook|slack-only-on-error|mail-only-on-error"
            ),
        ),
    ),
    LabelKeys(AUTOHEAL, "autoheal", ("autoheal", "autoheal.stop.timeout")),
    LabelKeys(
        DIUN,
        "Diun",
        (
            (
                "diun.enable|regopt|image|platform|watch_repo|notify_on|sort_tags|max_tags|include_tags"
                "|exclude_tags|hub_tpl|hub_link"
            ),
            "diun.metadata.**",
        ),
    ),
    LabelKeys(
        LazyPattern(r"(?:^|/)(?:gethomepage|benphelps)/homepage(?:[:@]|$)"),
        "Homepage",
        (
            (
                "homepage.group|name|icon|href|description|weight|siteMonitor|ping|showStats|server"
                "|container|statusStyle|target|id"
            ),
            "homepage.widget|widgets|instance.**",
        ),
    ),
    LabelKeys(
        LazyPattern(r"(?:^|/)docker-volume-backup(?:[:@]|$)"),
        "docker-volume-backup",
        (
            (
                "docker-volume-backup.stop-during-backup|stop-service-during-backup|exec-label|exec-pre"
                "|exec-post|archive-pre|archive-post|process-pre|process-post|copy-pre|copy-post"
                "|prune-pre|prune-post"
            ),
        ),
    ),
    LabelKeys(
        LazyPattern(r"(?:^|/)(?:wud|whats-up-docker)(?:[:@]|$)"),
        "What's up Docker",
        (
            "wud.watch",
            "wud.watch.digest",
            "wud.tag.include|exclude|transform",
            "wud.link.template",
            "wud.display.name|icon",
            "wud.trigger.include|exclude",
        ),
    ),
    LabelKeys(
        LazyPattern(r"(?:^|/)nginx-?proxy(?:[:@]|$)"),
        "nginx-proxy",
        (
            (
                "VIRTUAL_HOST|VIRTUAL_PORT|VIRTUAL_PROTO|VIRTUAL_PATH|VIRTUAL_DEST"
                "|LETSENCRYPT_HOST|LETSENCRYPT_EMAIL"
            ),
        ),
        are_variables=True,
    ),
)
"""The documentation of each program. Middlewares of Traefik and directives of Caddy that plugins
bring are not a key that is known, and none that is almost known. HTTPS_METHOD of nginx-proxy is
left out: many programs have HTTP_METHOD."""
