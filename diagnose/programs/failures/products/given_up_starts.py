"""Starts that applications give up for a reason of their own, which no other program has."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Typed, TypedLike

_OWN = "the program's own message"

GIVEN_UP_STARTS = (
    Failure(
        name="licence-variable",
        mark=("accept", "agree", "eula", "licen"),
        pattern=r"""(?x)
            \bset(?:ting)?\ (?:the\ )?(?:environment\ variable\ )?
                (?P<variable>(?-i:[A-Z][A-Z0-9_]{0,40}(?:ACCEPT|AGREE|EULA|LICEN[CS]E)[A-Z0-9_]{0,40}))
                (?:=|\ to\ )['"]?(?P<value>(?:accept|agree|true|yes|y)\b)
        """,
        cause="the program starts only where its licence is accepted, by {variable}={value}",
        cure="read the licence, then set {variable}={value}",
        source="Neo4j's own message",
        confirmed_by="container.variable-missing",
    ),
    Failure(
        name="metabase-downgrade",
        mark="downgrade detected",
        pattern=r"Downgrade detected\. Please run `?migrate down`? from version (?P<newer>\d{1,4})",
        cause="Metabase {newer} has changed the database already, and this is an earlier release, which cannot use it",
        cure="run the image of release {newer} again; to stay on this one, run that image once with the command "
        "migrate down",
        source="Metabase's own message",
        build="newer",
        look="builds",
    ),
    Failure(
        name="immich-vectors",
        mark="extension",
        pattern=r"Failed to activate (?P<extension>pgvecto\.rs|pgvector|VectorChord|vchord|vectors?) extension",
        cause="the database of Immich has no extension {extension}: it is a plain PostgreSQL, and Immich needs its own "
        "image of it",
        cure="run the database from the image that Immich's compose file of this release names, of the same major release of "
        "PostgreSQL, with the same data",
        source=_OWN,
        look="database",
    ),
    Failure(
        name="application-user-other",
        mark="current user",
        pattern=r"""(?x)
            \bconfigured\ to\ run\ (?P<program>\w{2,30})\ is\ "(?P<user>[\w.-]{1,40})",\ but\ the\ current\ user
                \ is\ "(?P<own>[\w.-]{1,40})"
            | \b(?P<program_expects>Gitea|Forgejo|Gogs)\b[^\n]{0,80}\bexpect\w*\ user\ '(?P<user_expects>[\w.-]{1,40})'
                \ but\ current\ user\ is:?\ '?(?P<own_expects>[\w.-]{1,40})
        """,
        cause="{program} runs as {own}, and RUN_USER in its app.ini is {user}",
        cure="take the option --user (user in compose) and a command of your own out, so that the image's start script "
        "switches to {user}; or write {own} behind RUN_USER",
        source=_OWN,
    ),
    Failure(
        name="cloudflared-last-rule",
        mark="last ingress rule",
        pattern=r"The last ingress rule must match all URLs",
        cause="the ingress rules of cloudflared end with one that has a host name or a path, and the last one has to "
        "take all that is left",
        cure="add one more rule at the end of ingress in its config.yml: - service: http_status:404",
        source=_OWN,
    ),
    Failure(
        name="cloudflared-certificate",
        mark="default origin certificate",
        pattern=r"Cannot determine default origin certificate path",
        cause="cloudflared gets a tunnel by its name, for which it needs the account's certificate (cert.pem), and "
        "no file of that name is in its folders",
        cure="give it the tunnel's token (TUNNEL_TOKEN), or mount cert.pem and the tunnel's JSON into "
        "/etc/cloudflared",
        source=_OWN,
        remedy=Typed("TUNNEL_TOKEN"),
    ),
    Failure(
        name="portainer-two-databases",
        mark="un-encrypted database",
        pattern=r"detected both an encrypted and un-encrypted database",
        cause="Portainer finds an encrypted database (portainer.edb) and a plain one (portainer.db) in its data, and "
        "starts with one only",
        cure="look which of the two is newer with ls -l, and move the other one out of the volume",
        source=_OWN,
        look="data",
    ),
    Failure(
        name="gitlab-runner-refused",
        mark="failed to verify runner",
        pattern=r"FATAL: Failed to verify runner\b",
        cause="GitLab does not know the token of this runner any more: the runner was removed there, or the token "
        "belongs to another server",
        cure="make a runner in GitLab, and register it here with its new token: gitlab-runner register",
        source=_OWN,
    ),
    Failure(
        name="qdrant-first-peer",
        mark="first peer",
        pattern=r"First peer should specify its uri",
        cause="Qdrant runs as a cluster, and its first member does not know its own address",
        cure="add --uri http://NAME:6335 to its command, with the name by which the other members reach it; "
        "or leave QDRANT__CLUSTER__ENABLED out",
        source=_OWN,
    ),
    Failure(
        name="typesense-nodes-empty",
        mark="nodes configuration is empty",
        pattern=r"File containing nodes configuration is empty",
        cause="the file that TYPESENSE_NODES names is empty, and Typesense takes the members of its cluster from it",
        cure="write one line IP:8107:8108 for each member, with commas between them; a single server needs no such "
        "file: take TYPESENSE_NODES out",
        source=_OWN,
    ),
    Failure(
        name="flyway-not-empty",
        mark="no schema history table",
        pattern=r"Found non-empty schema\(s\) (?P<schema>[^\n]{1,80}?) but no schema history table",
        cause="the schema {schema} has tables already, and Flyway has never run there: it does not know which "
        "migrations they contain",
        cure="if the address is right, tell Flyway that the tables are its start: FLYWAY_BASELINE_ON_MIGRATE=true, "
        "with FLYWAY_BASELINE_VERSION as the last migration that they contain",
        source=_OWN,
        look="database",
    ),
    Failure(
        name="flyway-failed-before",
        mark="detected failed migration",
        pattern=r"Detected failed migration to version (?P<version>[\w.]{1,40})",
        cause="migration {version} has failed in an earlier run of Flyway, and no further one runs until that is "
        "repaired",
        cure="undo what it has done in part, correct its file, and run flyway repair",
        source=_OWN,
        look="database",
    ),
    Failure(
        name="flyway-address",
        mark="configure the url, user and password",
        pattern=r"Configure the url, user and password!",
        cause="Flyway is given no address of a database",
        cure="set FLYWAY_URL (jdbc:postgresql://HOST/DATABASE), FLYWAY_USER and FLYWAY_PASSWORD",
        source=_OWN,
        remedy=Typed("FLYWAY_URL"),
    ),
    Failure(
        name="flyway-database-unknown",
        mark="unsupported database",
        pattern=r"Unsupported Database: (?P<database>[A-Z]\w{1,30} \d[\d.]{0,12})",
        cause="this release of Flyway does not know {database}: it is older than that server, or lacks the module "
        "for it",
        cure="take a newer release of Flyway; from release 10 on, each database has a module of its own "
        "(flyway-database-postgresql)",
        source=_OWN,
        build="newer",
    ),
    Failure(
        name="flyway-placeholder",
        mark="placeholder",
        pattern=r"No value provided for placeholder: ?\$\{(?P<name>[\w.:-]{1,60})\}",
        cause="a migration of Flyway uses the placeholder {name}, which has no value",
        cure="set FLYWAY_PLACEHOLDERS_NAME, with the placeholder in capitals for NAME, or turn placeholders off: "
        "FLYWAY_PLACEHOLDER_REPLACEMENT=false",
        source=_OWN,
    ),
    Failure(
        name="liquibase-driver",
        mark="cannot find database driver",
        pattern=r"Cannot find database driver: (?P<driver>[\w.]{3,80})",
        cause="the image of Liquibase has no driver {driver} for its database",
        cure="add it to the image (lpm add mysql), or mount its jar into /liquibase/lib",
        source=_OWN,
    ),
    Failure(
        name="liquibase-changelog",
        mark="configured search path",
        pattern=r"The file (?P<file>[^\s]{1,200}) was not found in the configured search path",
        cause="Liquibase finds no {file} in the folders of its search path",
        cure="mount the folder with it, and give that folder with --search-path; the name of the file is relative to it",
        source=_OWN,
        look="mounts",
    ),
    Failure(
        name="sequelize-dialect",
        mark="dialect needs to be explicitly supplied",
        pattern=r"Dialect needs to be explicitly supplied",
        cause="the program gives its database library (Sequelize) no settings: the address is not set, or the "
        "configuration has no part for this NODE_ENV",
        cure="compare NODE_ENV and the variables of the database with what config/config.json of the program has",
        source=_OWN,
        look="database",
    ),
    Failure(
        name="coredns-zone-twice",
        mark="it is already defined",
        pattern=r"cannot serve (?P<zone>dns://\S{1,100}|tls://\S{1,100}|https://\S{1,100}) - it is already defined",
        cause="two blocks of the Corefile are for {zone}",
        cure="put what both blocks say into one of them",
        source=_OWN,
    ),
    Failure(
        name="zigbee-network-exists",
        mark="network commissioning failed",
        pattern=r"network commissioning failed - most likely network with the same panId",
        cause="the adapter should make a new Zigbee network, and one with the same numbers exists near it: that of "
        "another adapter, or its own from before the settings were changed",
        cure="give back the pan_id, ext_pan_id and network_key that it had (coordinator_backup.json has them), or stop "
        "the other network",
        source=_OWN,
    ),
    Failure(
        name="ghost-theme-missing",
        mark="currently active theme",
        pattern=r"The currently active theme \"(?P<theme>[\w.-]{1,60})\" is missing",
        cause="Ghost's active theme {theme} is not in content/themes: the volume is another one, or the theme was in "
        "the former image",
        cure="put the theme into content/themes of the volume, or make another one active",
        source=_OWN,
        look="mounts",
    ),
    Failure(
        name="plugin-not-installed",
        mark="unable to import plugin",
        pattern=r"Unable to import plugin (?P<plugin>[\w.-]{1,60}): Module not found",
        cause="the configuration names the plugin {plugin}, and the image does not have it",
        cure="build an image with the plugin (pip install), or take it out of PLUGINS",
        source="NetBox' own message",
        look="image",
    ),
    Failure(
        name="consul-node-id",
        mark="node-id",
        pattern=r"invalid value in (?P<path>/[\w./-]{1,200}/node-id)\b",
        cause="the file {path}, in which Consul keeps its own id, is broken: a write was cut off, as by a full disk",
        cure="remove that file: Consul makes a new id at its next start",
        source=_OWN,
        look="data",
    ),
    Failure(
        name="nodered-port-used",
        mark="port in use",
        pattern=r"\[error\] Error: port in use$",
        cause="Node-RED's port is used by another process in the same network",
        cure="stop the other one, or set PORT to another number",
        source=_OWN,
    ),
    Failure(
        name="process-not-default",
        mark="default process",
        pattern=r"\bwhen there is no default process a command is required\b",
        cause="the image has several processes and names none that runs by itself: its build was not finished, or left that "
        "out",
        cure="give the name of the process as the command, or run another build of the image",
        source="hyness/spring-cloud-config-server#81; buildpacks' own message",
        build="another",
    ),
    Failure(
        name="web-server-not-built-in",
        mark="servletwebserverfactory",
        pattern=r"\bmissing ServletWebServerFactory bean\b",
        cause="the program was built without the web server that it starts: a part of Spring Boot is missing in its jar",
        cure="run another build of the image",
        source="camunda-community-hub/zeebe-http-worker#27",
        build="another",
    ),
    Failure(
        name="services-too-slow",
        mark=("s6-rc: fatal: timed out", "unable to get exit status from server"),
        pattern=r"\bs6-rc: fatal: timed out\b"
        r"|\bs6-sudoc: fatal: unable to get exit status from server: Operation timed out",
        cause="the services of the image were not up in the time that its init (s6) waits for them: a slow disk, or "
        "many files whose owner is changed",
        cure="recreate it with --env=S6_CMD_WAIT_FOR_SERVICES_MAXTIME=0, which waits as long as it takes",
        source="s6-overlay documentation; NginxProxyManager/nginx-proxy-manager#2753",
        confirmed_by="container.option-missing",
        needs=("--env=S6_CMD_WAIT_FOR_SERVICES_MAXTIME=0",),
    ),
    Failure(
        name="docker-proxy-forbids",
        mark="403 forbidden",
        pattern=r"\bError response from daemon: [^\n]{0,60}\b403 Forbidden\b",
        cause="the program asks Docker through a proxy of its socket, which does not allow this request (403)",
        cure="allow that part of the API in the proxy's variables (CONTAINERS=1, INFO=1, POST=1 and their like), and "
        "recreate the proxy",
        source="Tecnativa/docker-socket-proxy's documentation; woodpecker-ci/woodpecker#6527",
        look="addresses",
    ),
    Failure(
        name="steam-offline",
        mark="steamcmd",
        pattern=r"\bSteamcmd needs to be online to update\b",
        cause="the start script of the game did not reach Steam: the container has no way out, or no DNS server answers",
        cure="see what diagnose check dns firewall network says, then start it again",
        source="thijsvanloon/palworld-server-docker's and LinuxGSM's own message",
        may_pass=True,
        look="networks",
    ),
    Failure(
        name="bot-token-missing",
        mark="you must pass the token",
        pattern=r"\bInvalidToken\b[^\n]{0,20}\bYou must pass the token you received from\b",
        cause="the bot has no token: its setting is empty, or its variable has another name",
        cure="set the token that BotFather has given out",
        source="python-telegram-bot's own message",
        remedy=TypedLike(r"TOKEN$"),
        look="secrets",
    ),
    Failure(
        name="models-unloaded",
        mark="failed to load all models",
        pattern=r"\bcreating server: Internal - failed to load all models\b",
        cause="a model of Triton's repository does not load, and the server ends for that: the lines about that model say why",
        cure="mend or remove that model; --exit-on-error=false starts the server with the others",
        source="Triton documentation, server options",
        follows=True,
    ),
)
"""Rows that know their program by its own words."""
