"""Web applications, media servers and tools that collect figures.

Sources: the documentation of each image.
"""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.setting_needs.needs import SettingNeed, image_named
from diagnose.programs.setting_needs.parts import (
    ExistingPath,
    GivenDevice,
    MountAround,
    Named,
    NeighbourWith,
    Text,
    Variable,
    Word,
)

_ANY = LazyPattern(r".")
_GRAFANA = image_named(r"grafana(?:-oss|-enterprise)?")
_GRAFANA_FILE = "/etc/grafana/grafana.ini"
_PAPERLESS = image_named(r"paperless-ngx")

APPLICATION_NEEDS = (
    SettingNeed(
        "mail-not-enabled",
        _GRAFANA,
        (Variable(r"GF_SMTP_HOST"),),
        (Variable("GF_SMTP_ENABLED", "(?i)true"), MountAround(_GRAFANA_FILE)),
        says="has GF_SMTP_HOST, and sends no mail: GF_SMTP_ENABLED is not true",
        fix="GF_SMTP_ENABLED has to be true",
        option="--env=GF_SMTP_ENABLED=true",
    ),
    SettingNeed(
        "password-of-other-name",
        _GRAFANA,
        (
            Variable(
                r"(?P<name>GRAFANA_ADMIN_(?:PASSWORD|USER)|GRAFANA_(?:PASSWORD|USER)"
                r"|ADMIN_PASSWORD|GF_ADMIN_(?:PASSWORD|USER))"
            ),
        ),
        (
            Variable(r"GF_SECURITY_ADMIN_(?:PASSWORD|USER)(?:__FILE|_FILE)?"),
            MountAround(_GRAFANA_FILE),
            MountAround("/etc/grafana/provisioning"),
        ),
        says="has {variable}, which Grafana does not read: it reads GF_SECURITY_ADMIN_PASSWORD",
        fix="the variable has to be GF_SECURITY_ADMIN_PASSWORD or GF_SECURITY_ADMIN_USER",
    ),
    SettingNeed(
        "database-of-other-name",
        image_named("wordpress"),
        (Variable(r"(?:DB|MYSQL|MARIADB|DATABASE)_(?:HOST|SERVER|NAME|USER|PASSWORD)"),),
        (
            Variable(r"WORDPRESS_DB_HOST(?:_FILE)?"),
            Named("mysql"),
            Text(
                ("/var/www/html/wp-config.php",),
                r"""['"]DB_HOST['"]\s{0,9},(?!\s{0,9}getenv_docker)""",
            ),
        ),
        says="has {variable} and no WORDPRESS_DB_HOST: it calls a database named mysql, which nobody is",
        fix="the variables have to begin with WORDPRESS_DB_: HOST, USER, PASSWORD and NAME",
        cuts_off=True,
    ),
    SettingNeed(
        "languages-uninstalled",
        _PAPERLESS,
        (
            Variable(
                "PAPERLESS_OCR_LANGUAGE",
                r"(?:[a-z]{3}\+)*(?P<language>(?!eng|deu|fra|ita|spa)[a-z]{3}(?:[-_]\w{1,8})?)(?:\+.*)?",
            ),
        ),
        (
            Variable("PAPERLESS_OCR_LANGUAGES"),
            ExistingPath("/usr/share/tesseract-ocr/5/tessdata/{language}.traineddata"),
        ),
        says=(
            'reads documents in "{language}", which its image does not have: PAPERLESS_OCR_LANGUAGES '
            "is not set"
        ),
        fix="PAPERLESS_OCR_LANGUAGES has to name each language that the image lacks",
        option="--env=PAPERLESS_OCR_LANGUAGES={language}",
    ),
    SettingNeed(
        "recognition-unreached",
        image_named("immich-server"),
        (NeighbourWith(r"immich-machine-learning"),),
        (
            Named("immich-machine-learning"),
            Variable("IMMICH_MACHINE_LEARNING_URL"),
            Variable("IMMICH_MACHINE_LEARNING_ENABLED", "(?i)false"),
            Variable("IMMICH_CONFIG_FILE"),
        ),
        says=(
            "calls a server named immich-machine-learning, and {server} does not have that name on "
            "its networks: faces and searches by content stay empty"
        ),
        fix="{server} needs a network of the server, and that name there",
    ),
    SettingNeed(
        "vault-by-plain-http",
        LazyPattern(r"vaultwarden/server|(?:^|/)vaultwarden(?:[:@]|$)"),
        (
            Variable(
                "DOMAIN",
                r"http://(?!localhost|127\.)(?P<host>[\w.-]{1,200})(?::\d{1,5})?/?.{0,100}",
            ),
        ),
        (),
        says=(
            "gives its site an address with http:// ({value}): browsers and apps open a vault only "
            "by HTTPS"
        ),
        fix="a proxy has to serve it by HTTPS, and DOMAIN has to begin with https://",
    ),
    SettingNeed(
        "address-without-scheme",
        LazyPattern(
            r"vaultwarden/server|(?:^|/)(?:vaultwarden|paperless-ngx|outline|kibana)(?:[:@]|$)"
        ),
        (
            Variable(
                r"DOMAIN|PAPERLESS_URL|URL|ELASTICSEARCH_HOSTS|SERVER_PUBLICBASEURL",
                r"[\w-]{1,60}(?:\.[\w-]{1,60}){0,9}(?::\d{1,5})?/?",
            ),
        ),
        (),
        says='has "{value}" as {variable}: that address needs https:// or http:// before it',
        fix="{variable} has to begin with https:// or http://",
    ),
    SettingNeed(
        "video-without-driver",
        image_named(
            r"jellyfin|plex|pms-docker|emby|embyserver|frigate|tdarr|tdarr_node|immich-server"
        ),
        (
            Variable("NVIDIA_VISIBLE_DEVICES", r"(?!void$|none$).+"),
            Variable("NVIDIA_DRIVER_CAPABILITIES", r"(?!.*(?:all|video)).+"),
        ),
        (),
        says=(
            'has a GPU, and "{value}" as NVIDIA_DRIVER_CAPABILITIES: without video it does not '
            "get the libraries that encode and decode"
        ),
        fix="NVIDIA_DRIVER_CAPABILITIES has to have video in it, or has to be all",
        option="--env=NVIDIA_DRIVER_CAPABILITIES={value},video",
    ),
    SettingNeed(
        "figures-of-host",
        LazyPattern(r"(?:^|/)telegraf(?:[:@]|$)|node[-_]exporter"),
        (
            Variable(
                r"HOST_(?:PROC|SYS|ETC|VAR|RUN|ROOT|MOUNT_PREFIX)", r"(?P<path>/[\w./-]{1,100}?)/?"
            ),
        ),
        (ExistingPath("{path}"),),
        says="reads figures of the host at {path} ({variable}), where nothing is mounted",
        fix="the host has to be mounted there: --volume=/:/hostfs:ro",
    ),
    SettingNeed(
        "root-of-host",
        LazyPattern(r"node[-_]exporter"),
        (Word(r"--path\.(?:rootfs|procfs|sysfs)[ =](?P<path>/[\w./-]{1,100})"),),
        (ExistingPath("{path}"),),
        says="reads figures of the host at {path}, where nothing is mounted: it sees only itself",
        fix="the root of the host has to be mounted there",
        option="--volume=/:{path}:ro,rslave",
    ),
    SettingNeed(
        "engine-socket-unmounted",
        image_named(r"telegraf|promtail|alloy|vector|fluent-bit|traefik"),
        (
            Text(
                (
                    "/etc/telegraf/telegraf.conf",
                    "/etc/promtail/config.yml",
                    "/etc/promtail/config.yaml",
                    "/etc/alloy/config.alloy",
                    "/etc/traefik/traefik.yml",
                    "/etc/traefik/traefik.yaml",
                    "/etc/traefik/traefik.toml",
                ),
                r"(?m)^[^#\n]{0,80}unix://(?P<path>/[\w./-]{1,100}docker\.sock)",
            ),
        ),
        (ExistingPath("{path}"), MountAround("{path}")),
        says="asks the engine at {path} for its containers, and that socket is not in it",
        fix="the socket of the engine has to be mounted at {path}",
        option="--volume=/var/run/docker.sock:{path}:ro",
    ),
    SettingNeed(
        "labels-unread",
        image_named("ofelia"),
        (Word(r"--docker(?:\s|=true|$)"),),
        (
            MountAround("/var/run/docker.sock"),
            MountAround("/run/docker.sock"),
            Variable("DOCKER_HOST"),
        ),
        says="reads its jobs from labels of containers, and the socket of the engine is not in it",
        fix="the socket of the engine has to be mounted at /var/run/docker.sock",
        option="--volume=/var/run/docker.sock:/var/run/docker.sock:ro",
    ),
    SettingNeed(
        "radio-absent",
        image_named("zigbee2mqtt"),
        (
            Text(
                ("/app/data/configuration.yaml",),
                r"(?m)^serial:\s{1,9}(?:[^\n]{0,80}\n[ \t]{1,9}){0,6}port: ['\"]?(?P<path>/dev/[\w./:-]{1,150})",
            ),
        ),
        (GivenDevice("{path}"), MountAround("{path}")),
        says="talks to its radio at {path}, and the container was not given that device",
        fix="the device has to be given to the container under that name",
        option="--device={path}",
    ),
    SettingNeed(
        "named-file-absent",
        _ANY,
        (
            Variable(
                r"(?:\w{0,60}_)?(?:CERT|CERTIFICATE|CA|CRT|PEM|KEYSTORE|TRUSTSTORE|HTPASSWD|CONFIG)"
                r"_(?:FILE|PATH|DIR)|(?:\w{0,60}_)?KEY_(?:FILE|PATH)",
                r"(?P<path>/(?!dev/|proc/|run/|tmp/|var/run/)[\w.-]{1,60}(?:/[\w.-]{1,60}){0,8})",
                is_own=True,
            ),
        ),
        (ExistingPath("{path}"),),
        says="has {path} as {variable}, and the container does not have that path",
        fix="it has to be mounted there, or {variable} has to name the place where it is",
    ),
)
