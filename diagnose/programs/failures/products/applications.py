"""Known failures of self-hosted applications: data, plugins and neighbours that are not as
expected."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Dropped, Typed, TypedLike, Uncovered, UnixLineEnds

_OPTION = "container.option-missing"
_IN_THE_WAY = "container.option-in-the-way"
_OWN = "the program's own message"

_DATA = (
    Failure(
        name="mark-missing",
        mark="",
        pattern=r"""(?x)
            (?:\bENOENT\b|no\ such\ file|failed\ to\ read|called|not\ found|missing).{0,160}?
            (?P<mark>(?<![\w.])\.(?:immich|ncdata|ocdata)\b)
            | \bfolder\ (?P<mark_syncthing>marker)\ missing\b
        """,
        cause="the mounted folder is not the one that the program has written: the file {mark}, by which it knows "
        "its own data, is not in it",
        cure="mount the folder with the program's data there; on the host findmnt shows whether the disk behind "
        "it is mounted",
        source="Immich's documentation, system integrity; truenas/apps#1724",
        turns_away=True,
        look="data",
    ),
    Failure(
        name="collation-wrong",
        mark="incorrect c",
        pattern=r"incorrect (?:collation|ctype) of '(?P<given>[^']{1,60})'\. Should be '(?P<wanted>[^']{1,60})'",
        cause="the database was made with the collation {given}, and the program takes none but {wanted}",
        cure="make a new database with LC_COLLATE and LC_CTYPE {wanted}, TEMPLATE template0; for an empty data "
        "directory POSTGRES_INITDB_ARGS=--locale={wanted} does it",
        source="Synapse's documentation, PostgreSQL",
        look="database",
    ),
    Failure(
        name="encoding-wrong",
        mark="encoding of the template database",
        pattern=r"new encoding \((?P<wanted>\w{1,30})\) is incompatible with the encoding of the template database "
        r"\((?P<given>\w{1,30})\)",
        cause="a database with the encoding {wanted} is made from a template that has {given}",
        cure="make it with TEMPLATE template0 and ENCODING '{wanted}' before the program starts",
        source="PostgreSQL's own message",
    ),
    Failure(
        name="data-on-system-disk",
        mark="",
        pattern=r"\bis part of root (?:drive|disk)\b|\b(?:drive )?path is not a mount ?point\b",
        cause="the folder for the program's data lies on the disk of the system, and the program wants another one there: "
        "that is not mounted, or there is none",
        cure="mount that disk on the host, and start the container again: findmnt names what is mounted",
        source="minio/minio#15967",
        look="data",
    ),
    Failure(
        name="portainer-data",
        mark="object not found inside the database",
        pattern=r"Object not found inside the database",
        cause="Portainer does not understand its database: another release has written it, or its migration broke off",
        cure="run the newest release on it, or restore the backup that Portainer keeps below backups in its data",
        source="portainer/portainer#10794",
        look="builds",
    ),
    Failure(
        name="owner-unchangeable",
        mark="",
        pattern=r"""(?x)
            could\ not\ change\ permissions\ of\ directory\ "(?P<path>[^"]{1,300})":\ Operation\ not\ permitted
            | \bEPERM:\ operation\ not\ permitted,\ (?:f?chmod|utime)\ '(?P<path_node>/[^']{1,300})'
            | Failed\ asserting\ that\ (?:mode\ permissions|ownership|permissions)\ (?:of|on)\ "(?P<path_chef>[^"]{1,300})"
        """,
        cause="owner and mode of {path} cannot be changed: it belongs to another user than the program's, or lies on a "
        "share or a file system that keeps none (NFS with root_squash, SMB, NTFS, exFAT)",
        cure="on a local disk give it to the program's user with chown; on a share keep it in a volume instead",
        source="goharbor/harbor#14460, laradock/laradock#1850",
        look="sharing",
    ),
    Failure(
        name="web-files-empty",
        mark="content directory is",
        pattern=r"content directory is (?:either )?(?:invalid or )?empty: (?P<path>/[\w./-]{1,200}\w)",
        cause="{path} holds no files in the container: a mount hides what the image has there, or a setting names "
        "another folder",
        cure="remove the mount, or correct the setting",
        source="Jellyfin's own message",
        remedy=Uncovered(("{path}",)),
    ),
    Failure(
        name="another-machine-unknown",
        mark="authenticate watcher",
        pattern=r"authenticate watcher.{0,80}(?:machine not found|incorrect Username or Password)",
        cause="CrowdSec's own credentials are not in its database: one of the two is newer than the other",
        cure="register the machine again, with cscli machines add --auto --force, and keep /etc/crowdsec and "
        "/var/lib/crowdsec/data in volumes together",
        source="CrowdSec's documentation, machines",
    ),
)

_PLUGINS = (
    Failure(
        name="plugin-of-another-version",
        mark="plug",
        pattern=r"\bplug-?in version \S{1,40} (?:failed to load|is older than required)|Failed Loading plugin"
        r"|Plugin \[[\w-]{1,80}\] was built for \w+ version \S+ but version \S+ is running",
        cause="a plugin did not load: it, or one that it needs, has another version than this release asks for",
        cure="update the plugins with the program, or take the folder of the plugin out of its data",
        source="librecores/librecores-ci-jenkins-server#139",
    ),
    Failure(
        name="class-of-a-plugin",
        mark="cannotresolveclassexception",
        pattern=r"CannotResolveClassException: (?P<kind>[\w.$]{1,200})",
        cause="the saved configuration names {kind}, a class of a plugin that did not load or is not installed",
        cure="install that plugin for this release, or take its element out of the file that the log names",
        source="jenkins-infra/helpdesk#5241",
        look="data",
    ),
    Failure(
        name="zigbee-silent",
        mark="srsp",
        pattern=r"\bSRSP - SYS - (?:ping|version) after \d+ ?ms",
        cause="the Zigbee stick does not answer: another program has its port, the port or the kind of adapter in "
        "the settings is wrong, or the stick hangs",
        cure="name its port by /dev/serial/by-id, stop the other program that uses it (ZHA, deCONZ), and unplug it once",
        source="Koenkk/zigbee2mqtt#11820",
        look="devices",
    ),
    Failure(
        name="zigbee-firmware",
        mark="ezsp protocol version",
        pattern=r"EZSP protocol version.{0,40}\b(?:does not match|is not supported)\b",
        cause="the firmware of the Zigbee stick speaks another version of the protocol than this release of the program",
        cure="update the firmware of the stick, or run the release of the program from before",
        source="zigbee2mqtt's documentation, ember",
    ),
    Failure(
        name="requirements-not-installed",
        mark="requirements for",
        pattern=r"Requirements for (?P<integration>[\w.-]{1,60}) not found: \[(?P<packages>[^\]]{1,200})\]",
        cause="the Python packages of the integration {integration} could not be installed: {packages}",
        cure="see whether the container reaches the internet, restart it, and update the integration: it may ask for "
        "packages that this image's Python cannot have",
        source="Home Assistant's own message",
        look="networks",
    ),
    Failure(
        name="coral-missing",
        mark="edgetpu",
        pattern=r"No EdgeTPU was detected",
        cause="the program looks for a Coral accelerator, and its container has none",
        cure="recreate it with --device=/dev/bus/usb for one at USB, or --device=/dev/apex_0 for one in a slot; "
        "without one set the CPU as detector",
        source="blakeblackshear/frigate#3283",
        look="devices",
    ),
    Failure(
        name="bus-error",
        mark=("bus error", "shm size"),
        pattern=r"Fatal Python error: Bus error|DataLoader worker .{0,60}bus error|\bSHM size\b.{0,40}\btoo small\b"
        r"|^\W*Bus error(?: \(core dumped\))?\W*$",
        cause="a bus error: most likely its /dev/shm, which has 64 MB unless it is given more, is full",
        cure="recreate it with --shm-size=1g (shm_size in compose)",
        source="blakeblackshear/frigate#1354",
        confirmed_by=_OPTION,
        needs=("--shm-size=1g",),
    ),
    Failure(
        name="dnsmasq-capabilities",
        mark="setting capabilities failed",
        pattern=r"setting capabilities failed: Operation not permitted",
        cause="dnsmasq needs the capability NET_ADMIN",
        cure="recreate it with --cap-add=NET_ADMIN",
        source="pi-hole/docker-pi-hole#397",
        confirmed_by=_OPTION,
        needs=("--cap-add=NET_ADMIN",),
    ),
    Failure(
        name="file-capabilities-lost",
        mark="capabilities are not set for",
        pattern=r"Capabilities are not set for the \w+ program",
        cause="the program's file has capabilities that do not count: no-new-privileges or a nosuid mount takes them "
        "away, or --cap-drop",
        cure="recreate it without no-new-privileges, and with --cap-add=MKNOD where all capabilities were dropped",
        source="Collabora Online's own message",
        confirmed_by=_IN_THE_WAY,
        needs=("no-new-privileges",),
    ),
)

_NEIGHBOURS = (
    Failure(
        name="uwsgi-no-application",
        mark="no python application found",
        pattern=r"no python application found",
        cause="uWSGI answers each request with an error: it could not load the program at its start",
        cure="look at the first lines of its log, where the traceback says why: docker logs shows them",
        source="sissbruecker/linkding#1193",
        look="child",
    ),
    Failure(
        name="postgres-no-host",
        mark="could not connect to server: no such file",
        pattern=r"could not connect to server: No such file or directory",
        cause="the program calls a PostgreSQL in its own container, by a socket that is not there: no host name of a database "
        "is set, or it is empty",
        cure="set the host name of the database's container (DATABASE_URL, PGHOST, or host in database.yml)",
        source="SpeciesFileGroup/taxonworks#1495",
    ),
    Failure(
        name="postgres-socket",
        mark=".s.pgsql.",
        # a FATAL behind it is the answer of a server that runs
        pattern=r"(?:on socket|through socket|domain socket) \"?(?P<socket>/[\w./-]{1,200}\.s\.PGSQL\.\d+)(?!.{0,20}FATAL)",
        cause="no PostgreSQL is at the socket {socket}, which the program calls: none runs in its own container; or, where the folder "
        "is shared with one in another container, the file of the socket was removed while that one runs on",
        cure="where the image brings its own database, read that one's log (GitLab: /var/log/gitlab/postgresql/"
        "current); restart a server that shares the folder, which writes the file again; elsewhere set the host name of the "
        "database's container",
        source="GitLab's documentation, Docker troubleshooting",
    ),
    Failure(
        name="mysql-function-creators",
        mark="log_bin_trust_function_creators",
        pattern=r"(?:SUPER privilege|READS SQL DATA in its declaration) and binary logging is enabled",
        cause="the database server does not let ordinary users create triggers while it keeps a binary log",
        cure="start the server with --log-bin-trust-function-creators=1, drop the database that was made in part, "
        "and start the program again",
        source="zabbix/zabbix-docker#999",
    ),
    Failure(
        name="server-awaited",
        mark="after ",
        pattern=r"\b(?:unable to|failed to|could not|couldn't) connect(?: to (?P<server>[\w.-]{1,60}))?"
        r" after \d{1,4} (?:attempts|retries|tries)\b",
        cause="the server that the program waits for at its start did not answer",
        cure="see whether that server runs, and whether the program's settings name it",
        source="paperless-ngx' own message",
        may_pass=True,
    ),
    Failure(
        name="name-given-up",
        mark="after ",
        pattern=r"\b(?:could not|couldn't|cannot|failed to|unable to) resolve (?!(?:host|hostname|name|address)s? )(?P<host>[A-Za-z][\w.-]{1,120})"
        r" after \d{1,4} (?:attempts|retries|tries)\b",
        cause="the name {host} does not resolve in the container: its resolver gets no answer, as where the way out "
        "on port 53 is closed",
        cure="let the container call port 53 outside, or give it a resolver that answers",
        source="mailcow's documentation, Unbound",
        may_pass=True,
    ),
    Failure(
        name="vpn-login-refused",
        mark="auth",
        pattern=r"\bAUTH: Received control message: AUTH_FAILED\b",
        cause="the VPN's server refuses the login: user name or password are wrong, or the account has expired or has too "
        "many connections",
        cure="set the credentials of the provider's VPN, which often are others than those of its web site, and look at the account",
        source="gluetun's documentation",
        remedy=TypedLike(r"PASSWORD$"),
    ),
    Failure(
        name="outpost-refused",
        mark="failed to fetch outpost configuration",
        # while the server starts, the call itself fails
        pattern=r"(?P<refusal>\b(?:401|403)\b|Token invalid).{0,200}Failed to fetch outpost configuration"
        r"|Failed to fetch outpost configuration.{0,200}(?P<refusal_behind>\b(?:401|403)\b|Token invalid)",
        cause="authentik refuses this outpost: its token is not valid, or the outpost was deleted there",
        cure="copy the token of the outpost from authentik into AUTHENTIK_TOKEN",
        source="goauthentik/authentik#2453",
        turns_away=True,
        remedy=Typed("AUTHENTIK_TOKEN"),
    ),
    Failure(
        name="search-path-repo",
        mark="path.repo env var not found",
        pattern=r"path\.repo env var not found",
        cause="the Elasticsearch that the program uses lacks the setting path.repo",
        cure="set path.repo=/usr/share/elasticsearch/data/snapshot among the variables of that container",
        source="Tube Archivist's own message",
    ),
    Failure(
        name="container-misnamed",
        mark="container was not found",
        pattern=r"\(The '(?P<wanted>[\w.-]{1,80})' container was not found",
        cause="the program looks for its own container by the name {wanted}, and it has another name",
        cure="call it so: docker rename, and container_name in compose",
        source="Nextcloud AIO's own message",
    ),
)

_ROUTES = (
    Failure(
        name="traefik-no-address",
        mark="unable to find the ip address for the container",
        pattern=r"unable to find the IP address for the container \\?\"/?(?P<named>[\w.-]{1,120}).{0,20}is ignored",
        cause="Traefik finds no address of container {named}, so that its routes lead nowhere: it is on no network, or not on "
        "the one that traefik.docker.network names",
        cure="connect both to one network, and name that one in the label traefik.docker.network",
        source="Traefik's documentation, Docker provider",
        turns_away=True,
        look="networks",
    ),
    Failure(
        name="traefik-many-services",
        mark="too many services",
        pattern=r"Could not define the service name for the router: too many services",
        cause="a container declares several services for Traefik, and its router does not say which one it means",
        cure="name it in the label traefik.http.routers.NAME.service",
        source="Traefik's own message",
        turns_away=True,
    ),
    Failure(
        name="traefik-rule",
        mark="rule ",
        pattern=r"error while (?:adding|parsing) rule (?P<rule>\w{1,30}\(.{0,200}?\)): ",
        cause="Traefik does not understand the rule {rule}: it has a mistake, or is written for another version (3 writes "
        "rules in another way than 2)",
        cure="write it for version 3, as Host(`a`) || Host(`b`), or set core.defaultRuleSyntax=v2",
        source="Traefik's documentation, migration from version 2 to 3",
        turns_away=True,
    ),
    Failure(
        name="traefik-certificates",
        mark="unable to get acme account",
        pattern=r"skipped from the resolvers list because: unable to get ACME account: (?:invalid character|unexpected end of JSON|EOF)",
        cause="the file in which Traefik keeps its certificates holds something else than its JSON",
        cure="empty that file (acme.json) and keep its mode 600: Traefik gets the certificates again",
        source="timothystewart6/techno-tim.github.io#60",
        turns_away=True,
        look="data",
    ),
    Failure(
        name="acme-challenge-failed",
        mark="challenge",
        pattern=r"Challenge failed for domain (?P<domain>[\w.*-]{1,253})",
        cause="{domain} gets no certificate: the authority could not fetch the answer to its challenge from there",
        cure="see that the name leads to this host, and that port 80 is open and forwarded to the web server; a "
        "challenge by DNS needs no port",
        source="NginxProxyManager/nginx-proxy-manager#180",
        turns_away=True,
    ),
    Failure(
        name="acme-name-unknown",
        mark="dns problem",
        pattern=r"DNS problem: (?:NXDOMAIN|SERVFAIL|query timed out) looking up \w{1,6} for (?P<domain>[\w.*-]{1,253}\w)",
        cause="{domain} gets no certificate: the authority finds no address for that name in DNS",
        cure="make a record for {domain} that leads to this host, or take the name out of the web server's settings",
        source="Let's Encrypt's own message",
        turns_away=True,
    ),
    Failure(
        name="keycloak-unbuilt",
        mark="--optimized",
        pattern=r"'--optimized' flag was used for first ever server start",
        cause="Keycloak is started without its build (--optimized), and this image was never built",
        cure="leave --optimized out, or run kc.sh build in the image",
        source="Keycloak's own message",
        remedy=Dropped("--optimized"),
    ),
    Failure(
        name="value-cut-off",
        mark="error found at",
        # the carriage return closes the line before the bracket does
        pattern=r"value \((?P<value>[\w./:-]{1,80})(?:\\r\))?\.?; .{0,40}Error found at (?P<file>/[\w./-]{1,200}):\d",
        cause="the value {value} in {file} ends with a carriage return: the file has the line ends of Windows",
        cure="remove them: sed -i 's/\\r$//' on the file",
        source="eclipse-mosquitto/mosquitto#2308",
        remedy=UnixLineEnds("{file}"),
    ),
    Failure(
        name="ipv6-address-refused",
        mark="when adding address",
        pattern=r"permission denied: when adding address (?P<address>[\da-f]{0,4}:[\da-f:]{1,40}/\d{1,3})",
        cause="IPv6 is switched off in the container, and the VPN's configuration has the address {address}",
        cure="leave the IPv6 address out, or recreate it with --sysctl=net.ipv6.conf.all.disable_ipv6=0",
        source="passteque/gluetun#1768",
        confirmed_by=_OPTION,
        needs=("--sysctl=net.ipv6.conf.all.disable_ipv6=0",),
    ),
)

APPLICATIONS = (*_DATA, *_PLUGINS, *_NEIGHBOURS, *_ROUTES)
