"""What web servers say of their configuration, and what servers say that turn callers away."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import (
    AddedUser,
    ChallengePort,
    Corrected,
    HttpsRoute,
    Inside,
    MoreTime,
    NewerBuild,
    NewKey,
    Preceded,
    SharedFolder,
    WholeFolder,
)
from diagnose.programs.nginx_settings import nginx_settings


def _nginx(file: str, *directives: str) -> Inside:
    return Inside(nginx_settings(file, *directives))


_ONLY_FPM = (
    "case $(cat /proc/1/comm) in php-fpm*) ;; *) "
    "echo 'php-fpm is not the first process here: restart it by hand' >&2; exit 1 ;; esac"
)
"""A first process that is an init may take the signal for an order to shut down."""
_OF_SCANNERS = r"\w+ \S*(?:wp-login|wp-admin|xmlrpc|phpmyadmin|adminer|eval-stdin|/\.)"
"""Requests of strangers for scripts that are on no such site."""

WEB_SERVERS = (
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
        name="proxy-header-missing",
        mark="",
        pattern=r"""(?x)
            \bbroken\ header:\ ["]  # nginx
            | \bdoes\ not\ look\ like\ a\ PROXY\ protocol\ header\b  # HAProxy
            | \bproxy\ protocol\ signature\ not\ present\b  # Go
            | \bno\ (?:valid\ )?PROXY\ (?:protocol\ )?header\b
        """,
        cause="this server wants the header of the PROXY protocol before each request, and whoever "
        "calls it sends none: it closes these connections",
        cure="take proxy_protocol out of its listen lines (in HAProxy accept-proxy, in Traefik "
        "proxyProtocol), or let the proxy before it send that header",
        source="stalwartlabs/website#47; nginx's, HAProxy's and go-proxyproto's own messages",
        turns_away=True,
    ),
    Failure(
        name="proxy-header-unexpected",
        mark="proxy tcp",
        pattern=r"\bPROXY TCP[46] [0-9a-f.:]{3,39} [0-9a-f.:]{3,39} \d{1,5} \d{1,5}\b",
        cause="the proxy before this server sends the header of the PROXY protocol, and the server takes "
        "it for the request",
        cure="let the server expect that header (nginx: listen ... proxy_protocol), or take "
        "send-proxy, proxy_protocol on or proxyProtocol out of the proxy's settings",
        source="nginx's and Apache's own messages about such a request",
        turns_away=True,
    ),
    Failure(
        name="apache-mpm",
        mark="mpm loaded",
        pattern=r"(?P<which>No|More than one) MPM loaded",
        cause="Apache needs exactly one of its modules mpm_prefork, mpm_worker and mpm_event, "
        "and its configuration loads another number of them",
        cure="in the image: a2dismod mpm_event mpm_worker, a2enmod mpm_prefork for PHP; "
        "a mount over /etc/apache2 must have them too",
        source="docker-library/php#1276",
        remedy=Preceded("a2dismod -f mpm_event mpm_worker; a2enmod mpm_prefork"),
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
        remedy=_nginx(
            "zz-timeout.conf",
            "proxy_read_timeout 300s",
            "fastcgi_read_timeout 300s",
            "uwsgi_read_timeout 300s",
        ),
    ),
    Failure(
        name="plain-to-tls",
        mark="http request",
        pattern=r"client sent an HTTP request to an HTTPS server|\bSSL\b.{0,60}\bhttp request\b",
        cause="clients speak plain HTTP to its TLS port, and it refuses them",
        cure="write https:// in the proxy's route to it (proxy_pass https://; for Traefik the "
        "label loadbalancer.server.scheme=https), or give the proxy its port for plain HTTP",
        source="the message of Go's net/http, and of OpenSSL",
        turns_away=True,
        remedy=HttpsRoute(),
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
        name="nginx-connections",
        mark="worker_connections are not enough",
        pattern=r"(?P<most>\d+) worker_connections are not enough",
        cause="nginx rejects clients, because all connections that its workers may have are in use",
        cure="raise worker_connections in the configuration of nginx, and reload it",
        turns_away=True,
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
        cause="nginx is to ask {server}%{zone}, a link-local address of the router, which was copied "
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
        cause="nginx' main file reads {path}, which has a stream block, inside its http block: the main file is of an "
        "older image, or has its include at the wrong place",
        cure="take over the main file of this image (nginx.conf.sample where it has one), or move the include of that "
        "folder behind the end of the http block",
        source="linuxserver/docker-nginx#87",
    ),
    Failure(
        name="acme-unreached",
        mark="timeout during connect",
        pattern=r"(?P<address>[\da-f.:]+): Fetching http://(?P<unreached>[\w.-]+)/\.well-known/"
        r"acme-challenge/\S+ Timeout during connect",
        cause="{unreached} gets no certificate: the authority calls port 80 of {address} from the "
        "internet, and gets no answer",
        cure="open port 80 in the router and in the provider's firewall, or correct the address of "
        "{unreached} in DNS; a challenge by DNS needs no port",
        source="Let's Encrypt's own message",
        turns_away=True,
        remedy=ChallengePort(80, "unreached", "{unreached}"),
    ),
    Failure(
        name="acme-refused",
        mark="connection refused",
        pattern=r"(?P<address>[\da-f.:]+): Fetching http://(?P<unreached>[\w.-]+)/\.well-known/"
        r"acme-challenge/[\w-]+: Connection refused",
        cause="{unreached} gets no certificate: the authority calls port 80 of {address} from the "
        "internet, where nothing takes the call",
        cure="publish port 80 of the web server that answers the challenge (`-p 80:80`), or correct "
        "the address of {unreached} in DNS; a challenge by DNS needs no port",
        source="Let's Encrypt's own message",
        turns_away=True,
        remedy=ChallengePort(80, "unreached", "{unreached}"),
    ),
    Failure(
        name="laravel-key",
        mark="application",
        pattern=r"No application encryption key has been specified|\bThe application key is missing, halting init",
        cause="Laravel answers every request with an error, because APP_KEY is not set",
        cure="set APP_KEY to a key of its own, and keep it: what it has encrypted needs it",
        source="alexjustesen/speedtest-tracker#845",
        turns_away=True,
        remedy=NewKey("APP_KEY"),
    ),
    Failure(
        name="gunicorn-timeout",
        mark="worker timeout",
        pattern=r"WORKER TIMEOUT \(pid:",
        cause="gunicorn kills its workers, because requests take longer than its timeout allows "
        "(30 s by default), and their clients get no answer",
        cure="find out what the requests wait for, or raise --timeout in GUNICORN_CMD_ARGS",
        source="benoitc/gunicorn#1801",
        turns_away=True,
        remedy=MoreTime("GUNICORN_CMD_ARGS", "--timeout"),
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
        name="grafana-default",
        mark="marked as default",
        pattern=r"Only one datasource per organization can be marked as default",
        cause="two of the data sources that Grafana is given say isDefault: true",
        cure="leave isDefault: true in one of the files below provisioning/datasources",
    ),
    Failure(
        name="celery-unregistered",
        mark="unregistered task",
        pattern=r"Received unregistered task of type '(?P<task>[^']+)'",
        cause="the worker does not know the task {task}, and discards its messages: its image "
        "is older than that of the program that sends them, or it does not import their module",
        cure="recreate the worker from the image of the program that sends the task",
        turns_away=True,
        remedy=NewerBuild(),
        look="builds",
    ),
    Failure(
        name="php-fpm-children",
        mark="max_children",
        pattern=r"server reached (?:pm\.)?max_children setting \((?P<most>\d+)\)",
        cause="all {most} processes of PHP are busy, and further requests wait or are rejected",
        cure="raise pm.max_children in a file of php-fpm.d, as far as the memory allows, "
        "or find out what the requests wait for",
        source="zabbix/zabbix-docker#451",
        turns_away=True,
        remedy=Inside(
            f"{_ONLY_FPM}; cd /usr/local/etc/php-fpm.d && "
            "printf '%s\\n' '[www]' 'pm.max_children = {more}' >zz-children.conf && "
            "php-fpm -t && kill -USR2 1 || { rm -f zz-children.conf; false; }"
        ),
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
    Failure(
        name="traefik-reference",
        mark="does not exist",
        pattern=r"\b(?P<kind>middleware|service) \\?\"(?P<named>[\w./-]{1,100}@\w{1,20})\\?\" does not exist",
        cause="Traefik has no {kind} {named}: another provider declares it, or its name is misspelt; "
        "the router that names it answers 404",
        cure="name it with its own provider behind an @, as in auth@file: without one it is looked for in the "
        "provider of the router",
        source="HomericIntelligence/Mnemosyne#3018",
        turns_away=True,
    ),
    Failure(
        name="traefik-resolver",
        mark="existent",
        pattern=r"uses a non-?existent (?:certificate )?resolver"
        r"(?:: (?P<resolver>[\w.-]{1,80})|.{0,300}?certificateResolver=(?P<resolver_field>[\w.-]{1,80}))",
        cause="a router of Traefik names a certificate resolver that its static configuration does not have, "
        "or that could not be set up: {resolver}",
        cure="declare it in the static configuration (certificatesResolvers); Traefik reads that only at its start",
        source="Traefik's own message",
        turns_away=True,
        follows=True,
    ),
    Failure(
        name="traefik-entry-point",
        mark="entrypoint doesn't exist",
        pattern=r"EntryPoint doesn't exist.{0,200}?entryPointName=(?P<entry>[\w.-]{1,80})",
        cause="a router of Traefik names the entry point {entry}, which its static configuration does not have",
        cure="declare it there (entryPoints), or name one that it has; Traefik reads that file only at its start",
        source="Traefik's own message",
        turns_away=True,
    ),
    Failure(
        name="php-fpm-user",
        mark="cannot get",
        pattern=r"cannot get (?:uid|gid) for (?:user|group) '(?P<user>[^']+)'",
        cause="the pool of PHP-FPM runs as {user}, and the image has no such user",
        cure="set user and group in the pool's file to www-data, or add the user to the image",
        remedy=AddedUser("{user}"),
    ),
    Failure(
        name="apache-terminal",
        mark="caught sigwinch",
        pattern=r"AH00170: caught SIGWINCH, shutting down gracefully",
        cause="Apache ended by SIGWINCH, which it takes for an order to stop: a terminal that is resized sends it, where the "
        "container has one (-t, tty: true)",
        cure="recreate it without -t (tty: true in compose), or behind --init with the stop signal of the image",
        source="docker-library/httpd#9",
    ),
    Failure(
        name="supervisor-background",
        mark="exit status 0; not expected",
        pattern=r"exited: (?P<program>[^\s(]{1,100}) \(exit status 0; not expected\)",
        cause="{program} ends with 0, and supervisord starts it again and again: it puts itself into the background as a "
        "daemon, has nothing more to do, or stops for what it says above",
        cure="read its lines above; a daemon has to stay in the foreground in its section of supervisord.conf (-f, -F, "
        "-n, daemon off), a job needs startsecs=0 and autorestart=false",
        source="supervisord documentation, nondaemonizing of subprocesses",
        follows=True,
        look="child",
    ),
    Failure(
        name="supervisor-gave-up",
        mark="entered fatal state",
        pattern=r"gave up: (?P<program>\S+) entered FATAL state",
        cause="supervisord has given up starting {program}, and goes on without it",
        cure="see why {program} ends; supervisorctl start tries again",
        follows=True,
        look="child",
    ),
    Failure(
        name="address-not-there",
        mark="address",
        pattern=r"(?:bind|listen)\b.{0,60}?(?P<address>\d+\.\d+\.\d+\.\d+)\S*.{0,40}[Cc]annot assign requested address"
        r"|\bbind: (?:Address not available|Cannot assign requested address)|panicked at '?Cannot assign requested address",
        cause="the program is configured to listen at an address that its container does not have",
        cure="let it listen on 0.0.0.0",
    ),
)
