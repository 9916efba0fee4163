"""Names in a configuration that stand for nothing: modules, exporters, services, users."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, Failure

REFERENCES = (
    Failure(
        name="traefik-port",
        mark="port is missing",
        pattern=r"service \\?\"(?P<named>[\w.@-]{1,100})\\?\" error: port is missing",
        cause="Traefik knows no port of the container behind its service {named}: the image declares none, and no label "
        "names one",
        cure="give that container the label traefik.http.services.NAME.loadbalancer.server.port with the port that "
        "it listens on",
        source="Traefik documentation, Docker provider",
        turns_away=True,
    ),
    Failure(
        name="apache-module",
        mark="defined by a module not included",
        pattern=r"Invalid command '(?P<key>(?-i:<?/?(?:[A-Z][A-Za-z\d]{2,59}|php_[a-z_]{2,30})>?))', perhaps misspelled or defined by a module not included",
        cause="Apache does not know {key}: the module that has it is not loaded, or the word is misspelt",
        cure="load the module: a2enmod in the Debian images (RewriteEngine: rewrite; Header: headers; ProxyPass: proxy "
        "and proxy_http), the line LoadModule in httpd.conf of the official image; php_value and php_flag belong into "
        "a php.ini or .user.ini where PHP runs as FPM",
        source="Apache's own message",
    ),
    Failure(
        name="apache-word",
        mark="defined by a module not included",
        pattern=r"Invalid command '(?P<word>[^']{1,60})', perhaps misspelled or defined by a module not included",
        cause="a line of Apache's configuration begins with {word}, which is not a directive of any module: the line is broken, "
        "as by a script that edits the file at each start, or by a value over two lines",
        cure="look at that line and the one above it; a file that a start script has changed comes back from the image with a "
        "new container",
        source="Apache's own message",
    ),
    Failure(
        name="part-renamed",
        of_running=ABOUT_SETTINGS,
        mark="use ",
        pattern=r"\b(?:the )?['\"`]?(?P<old>[\w./-]{2,60})['\"`]? (?:exporter|extension|filter|input|module|output|plugin|processor"
        r"|receiver|driver|backend)\b.{0,10} (?:has been|is|was) (?:deprecated|removed|replaced|renamed)\b[^.\n]{0,40}?"
        r"\buse (?:the )?['\"`]?(?P<new>[\w./-]{2,60})",
        cause="the program's configuration uses {old}, which this version has given up: {new} takes its place",
        cure="write {new} instead of {old}, as the program's release notes say, or run the "
        "version before",
        source="open-telemetry/opentelemetry-collector#11337",
        explains_only=True,
        build="earlier",
        look="builds",
    ),
    Failure(
        name="fluent-bit-plugin",
        mark="plugin name that doesn't exist",
        pattern=r"section '(?P<section>\w+)' tried to instance a plugin name that doesn't exist",
        cause="a section {section} of Fluent Bit's configuration names a plugin that Fluent Bit does not have: it is "
        "misspelt, or one of Fluentd's",
        cure="correct the name behind Name in the sections {section} of its configuration",
        source="Fluent Bit's own message",
    ),
    Failure(
        name="wildfly-service",
        mark="wflyctl0412",
        pattern=r"WFLYCTL0412[^\[]{0,80}\[\W{0,4}(?P<service>[\w./-]{1,120})",
        cause="the application asks for {service}, which the server's configuration does not define",
        cure="define it there (a data source: jboss-cli.sh data-source add), with its driver, and deploy again",
        source="WildFly's own message",
        turns_away=True,
    ),
    Failure(
        name="guest-from-afar",
        mark="via localhost",
        pattern=r"user '(?P<user>[\w.-]{1,60})'(?: can only connect via localhost| - User can only log in via localhost)",
        cause="a program logs in to RabbitMQ as {user} from another container, and RabbitMQ lets that user in from its "
        "own container alone",
        cure="make a user for the program (rabbitmqctl add_user, set_permissions; RABBITMQ_DEFAULT_USER counts only "
        "while the data folder is empty), and give it to the program",
        source="RabbitMQ documentation, access control",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="docker-client-older",
        mark="required attributes are not set",
        pattern=r"Cannot build (?:Image|Container)Info, some of required attributes are not set",
        cause="the program commands the Docker engine with a client that is older than this engine: it expects fields that "
        "engine 29 and later no longer send",
        cure="take a newer release of the program",
        source="openanalytics/shinyproxy#583",
        build="newer",
        look="builds",
    ),
    Failure(
        name="configuration-written",
        mark="",
        pattern=r"\bCreatedNewConfigHalt\b"
        r"|\b(?:created|generated|wrote|written|saved)\b.{0,60}\b(?:default|example|new|sample)\b.{0,40}\bconfig\w*\b.{0,80}"
        r"\b(?:adjust|change|customi[sz]e|edit|fill|review)\b"
        r"|\bconfig\w*\b.{0,60}\b(?:has been|was) (?:created|generated|written)\b.{0,80}\b(?:adjust|change|customi[sz]e|edit|fill"
        r"|review)\b",
        cause="the program found no configuration, wrote one to begin with, and ended so that you edit it",
        cure="edit that file where it is mounted, and start it again; without a mount it is lost with the container: "
        "mount a folder there first",
        source="torrust/torrust-tracker#351",
        explains_only=True,
    ),
)
