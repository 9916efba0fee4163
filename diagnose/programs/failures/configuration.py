"""Mistakes in configuration files, commands and builds.

As web servers and language runtimes report them.
"""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import (
    Corrected,
    Dropped,
    Filtered,
    Inside,
    Job,
    Preceded,
    WholeFolder,
)

_OPTION = "container.option-missing"


def _nginx(file: str, *directives: str) -> Inside:
    """Directives in a file of their own, which goes again where nginx does not accept it."""
    path = f"/etc/nginx/conf.d/{file}"
    lines = " ".join(f"'{directive};'" for directive in directives)
    write = f"printf '%s\\n' {lines} >{path}"
    return Inside(f"{write} && nginx -t && nginx -s reload || {{ rm -f {path}; false; }}")


_ONLY_FPM = (
    "case $(cat /proc/1/comm) in php-fpm*) ;; *) "
    "echo 'php-fpm is not the first process here: restart it by hand' >&2; exit 1 ;; esac"
)
"""A first process that is an init may take the signal for an order to shut down."""

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
        name="nginx-upload",
        mark="too large body",
        pattern=r"client intended to send too large (?:chunked )?body",
        cause="nginx answers 413, because it takes only uploads of up to 1 MB by default",
        cure="set client_max_body_size in the configuration of nginx, and reload it",
        source="nginx-proxy/nginx-proxy#376",
        remedy=_nginx("zz-upload.conf", "client_max_body_size 100m"),
    ),
    Failure(
        name="nginx-connections",
        mark="worker_connections are not enough",
        pattern=r"(?P<most>\d+) worker_connections are not enough",
        cause="nginx rejects clients, because all connections that its workers may have are in use",
        cure="raise worker_connections in the configuration of nginx, and reload it",
        source="the program's own message",
        remedy=Inside(
            # beside the file itself, for paths in it are relative to its folder
            "cd /etc/nginx && "
            "sed 's/worker_connections[^;]*;/worker_connections {more};/' nginx.conf >more.conf && "
            "nginx -t -c /etc/nginx/more.conf && cp -p nginx.conf nginx.conf.old && "
            "cat more.conf >nginx.conf && rm more.conf && nginx -s reload || "
            "{ rm -f more.conf; false; }"
        ),
    ),
    Failure(
        name="search-flood",
        mark="",
        pattern=r"(?:FORBIDDEN|TOO_MANY_REQUESTS)/12/|flood[- ]stage (?:disk )?watermark .{0,20}exceeded"
        r"|\bread_only_allow_delete\b",
        cause="Elasticsearch or OpenSearch takes no more documents: the disk of its data is fuller "
        "than its flood stage allows (95 %), and it has made its indices read-only",
        cure="make room on that disk; Elasticsearch 7.4 and later lift the block then, earlier ones "
        "when index.blocks.read_only_allow_delete is set to null",
        source="elastic/elasticsearch#38024, deviantony/docker-elk#219",
    ),
    Failure(
        name="nginx-block",
        mark="directive is not allowed here",
        pattern=r'"(?P<block>server|upstream|map|location|http|events)" directive is not allowed here '
        r"in (?P<path>/[^:]+):\d+",
        cause="{path} holds a block {block} where nginx takes none: a file that belongs into "
        "conf.d is mounted as the main file, or the reverse",
        cure="mount a file of server blocks at /etc/nginx/conf.d/default.conf, and leave "
        "/etc/nginx/nginx.conf to the image",
        source="tiangolo/uwsgi-nginx-flask-docker#143",
    ),
    Failure(
        name="nginx-no-index",
        mark="directory index of",
        pattern=r'directory index of "(?P<path>[^"]+)" is forbidden',
        cause="nginx answers 403, because the folder {path} holds no index file: it is empty or "
        "another one than was meant",
        cure="put the site's files into the folder that is mounted there, or mount the right one",
        source="settermjd/docker-for-local-development#6",
    ),
    Failure(
        name="search-migration",
        mark="appears to be migrating the index",
        pattern=r"instance appears to be migrating the index.*?deleting index (?P<index>\.[\w.-]+)",
        cause="it waits for a migration of its index {index} that another instance has begun and "
        "not ended, such as itself before it was stopped",
        cure="delete the index {index} in Elasticsearch or OpenSearch where no other instance "
        "runs, and start it again",
        source="chaoss/grimoirelab#443",
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
    ),
    Failure(
        name="vault-sealed",
        mark="vault is sealed",
        pattern=r"Vault is sealed",
        cause="the Vault server that it calls is sealed, as it is after each of its starts",
        cure="unseal it: `vault operator unseal`, once for each key that it asks for",
        source="namecheap/node-vault-client#12",
    ),
    Failure(
        name="laravel-key",
        mark="no application encryption key",
        pattern=r"No application encryption key has been specified",
        cause="Laravel answers every request with an error, because APP_KEY is not set",
        cure="set APP_KEY to a key of its own, and keep it: what it has encrypted needs it",
        source="alexjustesen/speedtest-tracker#845",
    ),
    Failure(
        name="gunicorn-timeout",
        mark="worker timeout",
        pattern=r"WORKER TIMEOUT \(pid:",
        cause="gunicorn kills its workers, because requests take longer than its timeout allows "
        "(30 s by default), and their clients get no answer",
        cure="find out what the requests wait for, or raise --timeout in GUNICORN_CMD_ARGS",
        source="benoitc/gunicorn#1801",
    ),
    Failure(
        name="redis-full",
        mark="oom command not allowed",
        pattern=r"OOM command not allowed when used memory > ['\"]?maxmemory",
        cause="Redis holds as much as its maxmemory allows, and takes no further keys",
        cure="raise maxmemory, or let it drop old keys with maxmemory-policy",
        source="the program's own message",
    ),
    Failure(
        name="amqp-arguments",
        mark="inequivalent arg",
        pattern=r"inequivalent arg '(?P<argument>[^']+)' for (?P<kind>queue|exchange) "
        r"'(?P<queue>[^']+)' in vhost '(?P<vhost>[^']+)'",
        cause="the {kind} {queue} was made with another {argument} than the program asks for now",
        cure="delete the {kind} {queue} once it is empty, so that the program makes it again, or "
        "let the program ask for what it was made with",
        source="the program's own message",
    ),
    Failure(
        name="kafka-offset",
        mark="",
        pattern=r"\bOFFSET_OUT_OF_RANGE\b|OffsetOutOfRange|[Oo]ffset out of range"
        r"|_AUTO_OFFSET_RESET\b",
        cause="the program wants to read on at a place of its topic that Kafka no longer holds: "
        "its messages were deleted for their age or size, or Kafka has lost its data",
        cure="set the offsets of its consumer group to the latest, or the earliest, place that "
        "Kafka holds",
        source="the program's own message",
    ),
    Failure(
        name="grafana-default",
        mark="marked as default",
        pattern=r"Only one datasource per organization can be marked as default",
        cause="two of the data sources that Grafana is given say isDefault: true",
        cure="leave isDefault: true in one of the files below provisioning/datasources",
        source="the program's own message",
    ),
    Failure(
        name="celery-unregistered",
        mark="unregistered task",
        pattern=r"Received unregistered task of type '(?P<task>[^']+)'",
        cause="the worker does not know the task {task}, and throws its messages away: its image "
        "is older than that of the program that sends them, or it does not import their module",
        cure="recreate the worker from the image of the program that sends the task",
        source="the program's own message",
    ),
    Failure(
        name="mongoose-buffering",
        mark="buffering timed out",
        pattern=r"Operation `(?P<operation>[\w.]+)\(\)` buffering timed out",
        cause="the program has no connection to MongoDB: it never reached the server of its "
        "connection string",
        cure="start MongoDB, put both on one network, and give its name in the connection string",
        source="the program's own message",
        may_pass=True,
    ),
    Failure(
        name="php-fpm-children",
        mark="pm.max_children",
        pattern=r"server reached (?:pm\.)?max_children setting \((?P<most>\d+)\)",
        cause="all {most} processes of PHP are busy, and further requests wait or are rejected",
        cure="raise pm.max_children in a file of php-fpm.d, as far as the memory allows, "
        "or find out what the requests wait for",
        source="zabbix/zabbix-docker#451",
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
        cause="nginx is to run as user {user}, and the image has no such user",
        cure="write `user nginx;` into {file}: the official image has that user",
        source="the program's own message",
        remedy=Corrected("{user}", "nginx"),
    ),
    Failure(
        name="nginx-directive",
        mark="unknown directive",
        pattern=r'unknown directive "(?P<word>[^"]+)" in (?P<file>\S+)',
        cause="nginx does not know the word {word} in {file}: "
        "misspelt, or of a module that the image does not have",
        cure="correct the file; docker exec or docker run with nginx -t checks it",
        source="the program's own message",
    ),
    Failure(
        name="php-fpm-user",
        mark="cannot get",
        pattern=r"cannot get (?:uid|gid) for (?:user|group) '(?P<user>[^']+)'",
        cause="the pool of PHP-FPM runs as {user}, and the image has no such user",
        cure="set user and group in the pool's file to www-data, or add the user to the image",
        source="the program's own message",
    ),
    Failure(
        name="supervisor-gave-up",
        mark="entered fatal state",
        pattern=r"gave up: (?P<program>\S+) entered FATAL state",
        cause="supervisord has given up starting {program}, and goes on without it",
        cure="see why {program} ends; supervisorctl start tries again",
        source="the program's own message",
    ),
    Failure(
        name="address-not-there",
        mark="address",
        pattern=r"(?:bind|listen)\b.{0,60}?(?P<address>\d+\.\d+\.\d+\.\d+)\S*.{0,40}[Cc]annot assign requested address"
        r"|\bbind: (?:Address not available|Cannot assign requested address)",
        cause="the program is configured to listen at an address that its container does not have",
        cure="let it listen on 0.0.0.0",
        source="the program's own message",
    ),
)

RUNTIMES = (
    Failure(
        name="ruby-version",
        mark="your gemfile specified",
        pattern=r"Your Ruby version is (?P<has>[\d.]+), but your Gemfile specified (?P<wants>[^ (]+)",
        cause="the image has Ruby {has}, and the application is written for {wants}",
        cure="use an image with Ruby {wants}, or correct the line `ruby` of the Gemfile",
        source="the program's own message",
        build="another",
    ),
    Failure(
        name="option-required",
        mark="--",
        pattern=r"(?<![\w-])(?P<option>--[a-z][\w-]+)['\"]? (?:flag |option )?"
        r"(?:is required|must be (?:set|specified|provided|given)|is missing)",
        cause="the program needs the option {option}, which its command does not have",
        cure="add {option} to the command, or set the variable that stands for it",
        source="etcd's own message",
    ),
    Failure(
        name="refuses-root",
        mark="root",
        # a warning or advice against it refuses nothing
        pattern=r"^(?!.*\b(?:warn\w*|should|recommend\w*|discouraged|Do not run Composer)\b)"
        r".*?(?:\bnot\b|cannot|refus|never|how to).{0,60}\b(?:run|running|start\w*|execut\w+)\b"
        r".{0,40}\b(?:as|by) ['\"]?root\b|['\"]?root['\"]? execution .{0,60}not permitted"
        r"|\brunning as root is not\b",
        cause="the program refuses to run as root",
        cure="give the container the program's own user with --user, or start it by the image's "
        "own entrypoint, which changes to that user",
        source="MariaDB's, PostgreSQL's, Elasticsearch's and Gitea's own messages",
        confirmed_by="container.option-in-the-way",
        needs=("user",),
    ),
    Failure(
        name="package-version",
        mark="requires ",
        pattern=r"requires (?P<package>[\w.-]+) (?:version )?(?P<least>\d[\w.]*) or "
        r"(?:higher|newer|later|above|greater)",
        cause="the program needs {package} {least} or newer, which the image does not have",
        cure="install it in the image, and rebuild",
        source="gunicorn's own message",
        build="another",
    ),
    Failure(
        name="kestrel-https",
        mark="unable to configure https endpoint",
        pattern=r"Unable to configure HTTPS endpoint\. No server certificate was specified",
        cause="the .NET program is configured for HTTPS, and has no certificate",
        cure="leave https:// out of ASPNETCORE_URLS and serve HTTP behind a proxy, or mount a "
        "certificate and name it with ASPNETCORE_Kestrel__Certificates__Default__Path",
        source="the program's own message",
        remedy=Filtered("ASPNETCORE_URLS", "https:", ";"),
    ),
    Failure(
        name="keycloak-https",
        mark="key material not provided",
        pattern=r"Key material not provided to setup HTTPS",
        cause="Keycloak serves HTTPS alone in production mode, and has no certificate",
        cure="behind a proxy set KC_HTTP_ENABLED=true; else mount a certificate",
        source="keycloak/keycloak#12803",
        confirmed_by="container.option-missing",
        needs=("--env=KC_HTTP_ENABLED=true",),
    ),
    Failure(
        name="node-module-kind",
        mark="err_require_esm",
        pattern=r"ERR_REQUIRE_ESM",
        cause="a library of Node.js is an ES module now, and the program loads it in the old way: "
        "the library was updated without the program, or Node.js is too old",
        cure="pin the library to its previous version, or take Node.js 22 or later",
        source="Node.js documentation, ERR_REQUIRE_ESM",
        build="another",
    ),
    Failure(
        name="node-binary",
        mark=".node",
        pattern=r"(?P<file>/[^\s:]+\.node): (?:invalid ELF header|file too short|wrong ELF class"
        r"|cannot open shared object)",
        cause="{file} was built for another system or processor: "
        "node_modules was copied or mounted from another machine",
        cure="delete node_modules on the host, "
        "or keep it out of the mount with a volume, and install it in the image",
        source="kelektiv/node.bcrypt.js#824",
        remedy=Job("npm rebuild", ("",)),
    ),
    Failure(
        name="node-version",
        mark="different node.js version",
        pattern=r"was compiled against a different Node\.js version",
        cause="a module in node_modules was built for another version of Node.js",
        cure="install the modules again with the image's own Node.js: npm rebuild",
        source="the program's own message",
        remedy=Job("npm rebuild", ("",)),
    ),
    Failure(
        name="npm-script",
        mark="missing script",
        pattern=r'Missing script: "?(?P<script>[\w:.-]+)"?',
        cause="package.json has no script {script}",
        cure="correct the command, or the script in package.json",
        source="the program's own message",
        build="another",
    ),
    Failure(
        name="npm-package",
        mark="package.json",
        pattern=r"(?:ENOENT|Could not read package\.json).{0,80}?'?(?P<file>/[^\s']*package\.json)",
        cause="there is no {file}: the working directory is wrong, or a mount hides the application",
        cure="compare the working directory and the mounts with the image",
        source="the program's own message",
        build="another",
    ),
    Failure(
        name="java-jar",
        mark="jarfile",
        pattern=r"Unable to access jarfile (?P<file>\S+)",
        cause="Java finds no {file}, or may not read it: "
        "it is not in the image, or a mount hides its folder",
        cure="compare the path with the image and the mounts",
        source="the program's own message",
        build="another",
    ),
    Failure(
        name="java-class",
        mark="main class",
        pattern=r"Could not find or load main class (?P<name>\S+)",
        cause="Java does not find the class {name}: "
        "the class path is wrong, or an option with a space was split",
        cure="correct the command, or the class path",
        source="the program's own message",
        build="another",
    ),
    Failure(
        name="java-manifest",
        mark="no main manifest",
        pattern=r"no main manifest attribute, in (?P<file>\S+)",
        cause="{file} is a library, not a program: the build made the plain archive",
        cure="use the executable archive of the build (Spring Boot: bootJar)",
        source="the program's own message",
        build="another",
    ),
    Failure(
        name="java-cgroup",
        mark="cgroup",
        pattern=r"CgroupInfo\.getMountPoint\(\)\" because \"anyController\" is null"
        r"|CgroupV2Subsystem.{0,80}NullPointerException",
        cause="this Java is too old for the host's cgroups: "
        "its runtime cannot read them and fails at start",
        cure="use a newer Java of the same release (8u372, 11.0.16, 17.0.4 or later); "
        "until then -XX:-UseContainerSupport",
        source="JDK-8287073",
        confirmed_by=_OPTION,
        needs=("--env=JAVA_TOOL_OPTIONS=-XX:-UseContainerSupport",),
    ),
    Failure(
        name="java-option",
        mark="unrecognized vm option",
        pattern=r"Unrecognized VM option '(?P<option>[^']+)'",
        cause="this Java does not know the option {option}",
        cure="remove the option from JAVA_OPTS, JAVA_TOOL_OPTIONS or the command",
        source="the program's own message",
        remedy=Dropped("{option}"),
    ),
    Failure(
        name="python-name",
        mark="cannot import name",
        pattern=r"cannot import name '(?P<name>[^']+)' from (?:partially initialized module )?'(?P<module>[^']+)'",
        cause="the installed version of {module} has no {name}: "
        "a dependency was updated without its user",
        cure="pin the version of the package that has {module}, and rebuild the image",
        source="the program's own message",
        build="another",
    ),
    Failure(
        name="shm-too-small",
        mark="shared memory (shm)",
        pattern=r"insufficient shared memory \(shm\)",
        cause="the container's /dev/shm is too small: it has 64 MB unless it is given more",
        cure="recreate it with --shm-size=1g (shm_size in compose), or with --ipc=host",
        source="pytorch/pytorch#2244",
        confirmed_by=_OPTION,
        needs=("--shm-size=1g",),
    ),
    Failure(
        name="dotnet-framework",
        mark="install or update .net",
        pattern=r"You must install or update \.NET to run this application",
        cause="the image has another version of .NET than the program was built for",
        cure="use the runtime image of that version",
        source="the program's own message",
        build="another",
    ),
    Failure(
        name="dotnet-dll",
        mark="could not execute because",
        pattern=r"Could not execute because the (?:application|specified command)",
        cause="the command names a .NET program that is not in the image",
        cure="correct the name of the .dll in the command",
        source="the program's own message",
        build="another",
    ),
)
