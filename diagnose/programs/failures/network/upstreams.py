"""Errors of proxies about the servers behind them, where their own settings do not fit these."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Inside
from diagnose.programs.nginx_settings import nginx_settings

UPSTREAMS = (
    Failure(
        name="nginx-server-name",
        mark="while ssl handshaking to upstream",
        pattern=r"(?:unrecognized name:SSL alert number 112|handshake failure:SSL alert number 40)\) "
        r"while SSL handshaking to upstream",
        cause="the server behind it ends the TLS handshake: as a rule nginx sends it no name of "
        "a server (SNI), or one that it does not know",
        cure="write `proxy_ssl_server_name on;` and `proxy_ssl_name` with the name that this server "
        "knows beside proxy_pass",
        source="NginxProxyManager/nginx-proxy-manager#4457",
        turns_away=True,
        remedy=Inside(
            nginx_settings(
                "zz-server-name.conf", "proxy_ssl_server_name on", "proxy_ssl_name $host"
            )
        ),
    ),
    Failure(
        name="tunnel-server-name",
        mark="tls: unrecognized name",
        pattern=r"Unable to reach the origin service\b[^\n]{0,200}? remote error: tls: unrecognized name",
        cause="the server behind the tunnel serves TLS by name, and cloudflared asks it for a name "
        "that it does not know",
        cure="set originServerName of this host name (Origin Server Name under TLS) to the site's "
        "name, or let the tunnel call the server by http://",
        source="NginxProxyManager/nginx-proxy-manager#2696",
        turns_away=True,
    ),
    Failure(
        name="nginx-grpc-by-http",
        mark="upstream sent no valid http/1.0 header",
        pattern=r"upstream sent no valid HTTP/1\.0 header\b[^\n]{0,300}?"
        r'request: "POST /(?P<service>\w[\w.]{0,80}/\w{1,60}) HTTP/2',
        cause="nginx passes gRPC ({service}) on by HTTP/1, as proxy_pass does, and the server behind "
        "it speaks HTTP/2",
        cure="write `grpc_pass grpc://HOST:PORT;` instead of proxy_pass",
        source="grpc/grpc#11427",
        turns_away=True,
    ),
    Failure(
        name="nginx-http-by-grpc",
        mark="upstream sent too large http2 frame: 4740180",
        pattern=r"upstream sent too large http2 frame: 4740180\b",
        cause="nginx calls the server behind it by gRPC, and that answers with HTTP/1",
        cure="write proxy_pass instead of grpc_pass, or call the port at which gRPC is served",
        source="kubernetes/ingress-nginx#4323",
        turns_away=True,
    ),
    Failure(
        name="apache-target-slash",
        mark="dns lookup failure for: ",
        pattern=r"DNS lookup failure for: (?P<host>[\w.-]{1,120}):(?P<port>\d{1,5})"
        r"(?P<rest>[A-Za-z_-]\S{0,300}) returned by /",
        cause="Apache takes {host}:{port}{rest} for the name of a server: its ProxyPass has a path "
        "with a slash at the end, and an address without one",
        cure="write `ProxyPass / http://{host}:{port}/`: both end with a slash, or none does",
        source="Apache's own message AH00898",
        turns_away=True,
    ),
    Failure(
        name="apache-scheme-module",
        mark="no protocol handler was valid for the url",
        pattern=r"No protocol handler was valid for the URL (?P<place>/\S{0,200})",
        cause="Apache has not loaded the module for the kind of server that its ProxyPass names for "
        "{place}, and answers with 500",
        cure="load mod_proxy_http for http:// and https://, mod_proxy_fcgi for fcgi://, "
        "mod_proxy_wstunnel for ws://: a line LoadModule in httpd.conf, on Debian a2enmod; then "
        "restart Apache",
        source="advplyr/audiobookshelf#1814; Apache's own message AH01144",
        turns_away=True,
    ),
    Failure(
        name="apache-tls-upstream",
        mark="ssl proxy requested for ",
        pattern=r"SSL Proxy requested for (?P<site>[\w.:*-]{1,120}) but not enabled",
        cause="Apache passes requests of {site} on to a server by https://, and SSLProxyEngine is "
        "off there: it answers with 500",
        cure="write `SSLProxyEngine on` beside ProxyPass and load mod_ssl, or pass on to http://",
        source="Apache's own message AH01961",
        turns_away=True,
    ),
    Failure(
        name="nginx-resolver-refused",
        mark="while resolving, resolver: ",
        pattern=r"\(111: Connection refused\) while resolving, resolver: (?P<server>127\.0\.0\.1|\[::1\]):53",
        cause="nginx asks {server} for names, as its directive `resolver` says, and no DNS server "
        "listens there",
        cure="write `resolver 127.0.0.11;` in a container on a network of its own, elsewhere a server "
        "of /etc/resolv.conf; an address in proxy_pass needs no resolver",
        source="nextcloud/all-in-one#1451",
        turns_away=True,
    ),
)
