"""Errors of nginx about its configuration, and about requests that it does not serve."""

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import (
    Corrected,
    FromSample,
    Inside,
    SharedFolder,
    WholeFolder,
)
from diagnose.programs.nginx_settings import nginx_settings


def _nginx(file: str, *directives: str) -> Inside:
    return Inside(nginx_settings(file, *directives))


_OF_SCANNERS = r"\w+ \S*(?:wp-login|wp-admin|xmlrpc|phpmyadmin|adminer|eval-stdin|/\.)"
"""Requests of strangers for scripts that are on no such site."""

NGINX = (
    Failure(
        name="nginx-certificate",
        mark="cannot load certificate",
        pattern=r'cannot load certificate(?: key)? "(?P<path>[^"]+)".{0,120}?No such file',
        cause=(
            "nginx finds no certificate at {path}: it was not issued yet, "
            "or is a link to a folder that is not mounted (certbot's live/ leads to archive/)"
        ),
        cure="mount the whole folder /etc/letsencrypt, "
        "or start nginx without that server block until the certificate is there",
        source="jlesage/docker-nginx-proxy-manager#276",
        remedy=WholeFolder("/etc/letsencrypt/live"),
    ),
    Failure(
        name="nginx-header",
        mark="too big header",
        pattern=r"upstream sent too big header while reading response header.*?"
        r'upstream: "(?P<scheme>\w+)://',
        cause="nginx answers 502, because the header of the program behind it is larger than its "
        "buffer, usually by a cookie",
        cure="set fastcgi_buffer_size (proxy_buffer_size for http, uwsgi_buffer_size) to 32k in the "
        "configuration of nginx, with as many buffers of that size, and reload it",
        source="librenms/docker#245",
        turns_away=True,
        remedy=_nginx(
            "zz-header.conf",
            "proxy_buffer_size 32k",
            "proxy_buffers 8 32k",
            "proxy_busy_buffers_size 64k",
            "fastcgi_buffer_size 32k",
            "fastcgi_buffers 8 32k",
            "fastcgi_busy_buffers_size 64k",
        ),
    ),
    Failure(
        name="nginx-upstream-slow",
        mark="upstream timed out",
        pattern=r"upstream timed out \(\d+: [^)]*\) while reading (?:response header from )?upstream"
        r'.*?request: "(?P<request>[A-Z]+ [^\s?"]{1,160}).*?upstream: "\w+://(?P<place>[^/"]+)',
        cause="nginx gives up on {request} (504, or an answer cut short), because {place} is silent "
        "for longer than nginx waits: 60 s by default",
        cure="find out what the program at {place} waits for, or raise proxy_read_timeout "
        "(fastcgi_read_timeout, uwsgi_read_timeout) in the configuration of nginx, and reload it",
        source="nginx's own message",
        turns_away=True,
        follows=True,
        remedy=_nginx(
            "zz-timeout.conf",
            "proxy_read_timeout 300s",
            "fastcgi_read_timeout 300s",
            "uwsgi_read_timeout 300s",
        ),
    ),
    Failure(
        name="nginx-answer-cut",
        mark="prematurely closed connection while reading upstream",
        pattern=r"prematurely closed connection while reading upstream"
        r'.*?request: "(?P<request>GET [^\s?"]{1,160}).*?upstream: "\w+://(?P<place>[^/"]+)',
        cause="clients get only a part of {request}: {place} broke its answer off, as it failed, or as nginx read no "
        "further (proxy_max_temp_file_size, 1 GB) before a slow client did",
        cure="if large answers are cut, set proxy_max_temp_file_size 0 in the configuration of nginx, and reload it; "
        "otherwise see the log of the program at {place}",
        source="eikek/sharry#130; nginx's own message",
        turns_away=True,
        follows=True,
        remedy=_nginx("zz-downloads.conf", "proxy_max_temp_file_size 0"),
    ),
    Failure(
        name="nginx-upload",
        mark="client intended to send too large",
        pattern=r"client intended to send too large (?:chunked )?body",
        cause="nginx answers 413, because it takes only uploads of up to 1 MB by default",
        cure="set client_max_body_size in the configuration of nginx, and reload it",
        source="nginx-proxy/nginx-proxy#376",
        turns_away=True,
        remedy=_nginx("zz-upload.conf", "client_max_body_size 100m"),
    ),
    Failure(
        name="upload-refused",
        mark="too large",
        pattern=r"\b413:? (?:Request Entity|Payload|Content|Entity) Too Large\b",
        cause="a web server on the way takes no upload of this size",
        cure="raise the limit of the server whose page this is: client_max_body_size in nginx (1 MB by default), "
        "LimitRequestBody in Apache; Cloudflare has a limit of its own",
        source="nginx's and Apache's own pages; nginx-proxy/nginx-proxy#376",
        of_running=NEVER,
    ),
    Failure(
        name="nginx-connections",
        mark="worker_connections are not enough",
        pattern=r"(?P<most>\d+) worker_connections are not enough",
        cause="nginx rejects clients, because all connections that its workers may have are in use",
        cure="raise worker_connections in the configuration of nginx, and reload it",
        turns_away=True,
        is_limit=True,
        remedy=Inside(
            # beside the file itself, for paths in it are relative to its folder
            "cd /etc/nginx && "
            "sed 's/worker_connections[^;]*;/worker_connections {more};/' nginx.conf >more.conf && "
            "nginx -t -c /etc/nginx/more.conf && cp -p nginx.conf nginx.conf.$(date +%s).old && "
            "cat more.conf >nginx.conf && rm more.conf && nginx -s reload || "
            "{ rm -f more.conf; false; }"
        ),
    ),
    Failure(
        name="nginx-engine-resolver",
        mark="while resolving",
        pattern=r"while resolving, resolver: 127\.0\.0\.11(?::53)?(?!\d)",
        cause="nginx asks 127.0.0.11 for names: the engine's resolver, which is there only inside "
        "containers on user-defined networks, and not on the default network or on the host",
        cure="put the container on a user-defined network (docker network connect), or name another "
        "DNS server in its resolver directive",
        source="djmaze/docker-caching-proxy#6, docker/compose#5877",
        confirmed_by="dns.resolver-bypassed",
    ),
    Failure(
        name="nginx-zoned-resolver",
        mark="invalid ipv6 address in resolver",
        pattern=r'invalid IPv6 address in resolver "\[?(?P<server>fe80:[0-9a-f:]{2,40})%(?P<zone>[\w.-]{1,15})',
        cause="nginx should ask {server}%{zone}, a link-local address of the router, which was copied "
        "from /etc/resolv.conf: nginx knows no addresses with an interface behind them (%{zone})",
        cure="take that nameserver out of the host's /etc/resolv.conf (the router announces it over "
        "IPv6), or give the container a DNS server of its own (--dns, in compose dns:)",
        source="jlesage/docker-nginx-proxy-manager#193",
    ),
    Failure(
        name="nginx-block",
        mark="directive is not allowed here",
        pattern=r'"(?P<block>server|upstream|map|location|http|events|user|worker_processes|pid|load_module)" directive is not allowed here '
        r"in (?P<path>/[^:]+):\d+",
        cause="{path} holds a block {block} where nginx takes none: a file that belongs into "
        "conf.d is mounted as the main file, or the reverse",
        cure="mount a file of server blocks at /etc/nginx/conf.d/default.conf, and leave "
        "/etc/nginx/nginx.conf to the image",
        source="tiangolo/uwsgi-nginx-flask-docker#143",
    ),
    Failure(
        name="nginx-stream-inside",
        mark='"stream" directive is not allowed here',
        pattern=r'"stream" directive is not allowed here in (?P<path>/[^:]+):\d+',
        cause="nginx' main file reads {path}, which has a stream block, inside its http block: the main file comes from an "
        "older image, or has its include at the wrong place",
        cure="take over the main file of this image (nginx.conf.sample where it has one), or move the include of that "
        "folder behind the end of the http block",
        source="linuxserver/docker-nginx#87",
        remedy=FromSample("/config/nginx/nginx.conf"),
    ),
    Failure(
        name="fastcgi-script",
        mark="primary script unknown",
        pattern=rf'"Primary script unknown"(?!.*?request: "{_OF_SCANNERS})'
        r'.*?upstream: "fastcgi://(?P<address>[\d.]+)',
        cause="nginx answers 404, because php-fpm has no file at the path that nginx gives it",
        cure="mount the project at the same path into both containers, and give "
        "SCRIPT_FILENAME as $document_root$fastcgi_script_name",
        source="docker-library/php#1133",
        remedy=SharedFolder(),
        look="mounts",
    ),
    Failure(
        name="nginx-user",
        mark="getpwnam(",
        pattern=r'getpwnam\("(?P<user>[^"]+)"\) failed in (?P<file>/[^:]+)',
        cause="nginx should run as user {user}, but the image has no such user",
        cure="write `user nginx;` into {file}: the official image has that user",
        remedy=Corrected("{user}", "nginx"),
    ),
    Failure(
        name="nginx-url-prefix",
        mark="invalid url prefix",
        pattern=r"\[emerg\].{0,40}invalid URL prefix in (?P<file>\S+?):(?P<line>\d+)",
        cause="the address in line {line} of {file} does not begin with http:// or https://: it lacks "
        "that, or a variable of its template has no value",
        cure="give the variable of the template that line its address, with http:// before it",
        source="super-productivity/super-productivity#3686",
    ),
    Failure(
        name="nginx-directive",
        mark="unknown directive",
        pattern=r'unknown directive "(?P<word>[^"]+)" in (?P<file>\S+)',
        cause="nginx does not know the directive {word} in {file}: it is misspelt, or belongs to a module that the image does not have",
        cure="correct the file; docker exec or docker run with nginx -t checks it",
    ),
)
"""In the order in which a line is compared with them."""
