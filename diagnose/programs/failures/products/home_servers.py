"""Known failures of programs on a home server: downloads, mail, cameras, the home network."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import BareArguments, Given

_OPTION = "container.option-missing"

_MEDIA = (
    Failure(
        name="encoder-without-card",
        mark=("libcuda", "libnvcuvid", "libnvidia-encode"),
        pattern=r"\[(?:\w{2,8}_(?:nvenc|cuvid)|AVHWDeviceContext)\b[^\]]{0,40}\] Cannot load lib(?:cuda|nvcuvid|nvidia-encode)\.so",
        cause="FFmpeg should use the NVIDIA card, and finds no driver of it in the container",
        cure="recreate it with --gpus=all and --env=NVIDIA_DRIVER_CAPABILITIES=all; the host needs the driver and the "
        "NVIDIA Container Toolkit",
        source="FFmpeg's own message; NVIDIA's documentation, specialized configurations",
        confirmed_by=_OPTION,
        needs=("--gpus=all",),
    ),
    Failure(
        name="download-elsewhere",
        mark=(
            "does not exist or is not accessible by",
            "does not appear to exist inside the container",
        ),
        pattern=r"""(?x)
            path\ does\ not\ exist\ or\ is\ not\ accessible\ by\ \w{2,30}:\ (?P<path>/[^\n]{1,300}?)(?:\.\ Ensure|$)
            | (?:places\ downloads\ in|reported\ files\ in)\ (?P<path_health>/[^\n]{1,300}?)
                \ but\ this\ directory\ does\ not\ appear\ to\ exist\ inside\ the\ container
        """,
        cause="the download client names {path}, and the container has no such folder: the two containers mount the "
        "downloads at different places",
        cure="mount the same folder of the host at the same place in both containers, or enter a remote path mapping "
        "in the program",
        source="Servarr's documentation, Docker guide",
        turns_away=True,
        look="mounts",
    ),
    Failure(
        name="steam-folder-denied",
        mark="failed to install app",
        pattern=r"Failed to install app '(?P<app>\d{1,10})' \((?:Disk write failure|Missing file permissions)\)",
        cause="Steam may not write the game {app} into its folder: that belongs to another user than the container's, "
        "or its disk is full",
        cure="give the mounted folder to the user of the image (chown, in many images 1000:1000), or free room on its disk",
        source="BitR/empyrion-docker#2, jammsen/docker-sons-of-the-forest-dedicated-server#54",
        look="data",
    ),
    Failure(
        name="private-address-refused",
        mark="it is private ip address",
        pattern=r"DNS lookup (?P<address>[\da-fA-F.:]{2,45})\b.{0,200}\bis not allowed\. Because, It is private IP address",
        cause="the program calls public addresses only, and {address} is a private one, such as that of a container",
        cure="allow it by the program's own setting (ALLOW_PRIVATE_IP_ADDRESS=true of ONLYOFFICE, NC_ALLOW_LOCAL_HOOKS=true "
        "of NocoDB), or give it an address that is public",
        source="request-filtering-agent's own message",
        turns_away=True,
        confirmed_by=_OPTION,
        needs=("--env=ALLOW_PRIVATE_IP_ADDRESS=true",),
    ),
)

_NETWORK = (
    Failure(
        name="unifi-database",
        mark="[exec] error, rc=",
        pattern=r"<db-server>.{0,60}\[exec\] error, rc=(?P<code>\d{1,3})\b",
        cause="the MongoDB inside the UniFi controller ends with code {code} at each start: its files belong to another "
        "user or are damaged, or are of a release that this one does not read",
        cure="read the last lines of logs/mongod.log in the folder of its data: they say which of these it is; then "
        "give the folder to the program's user, run the release that wrote it, or restore a backup",
        source="linuxserver/docker-unifi-controller, its threads; UniFi's own message",
        turns_away=True,
        look="data",
    ),
    Failure(
        name="mail-accounts-missing",
        mark=("no accounts provided", "mail account to start"),
        pattern=r"No accounts provided - shutting down|need at least one mail account to start Dovecot",
        cause="the mail server has no account yet, and ends two minutes after its start without one",
        cure="start it, and within two minutes add one: docker exec -ti CONTAINER setup email add USER@DOMAIN; where "
        "there were accounts, its folder /tmp/docker-mailserver is not mounted",
        source="docker-mailserver's documentation, first steps",
        look="mounts",
    ),
    Failure(
        name="dns-of-others-ignored",
        mark="non-local network",
        pattern=r"ignoring query from non-local network (?P<client>[\da-fA-F.:]{2,45})",
        cause="Pi-hole answers only clients in its container's own network, and {client} is in another one: behind a "
        "bridge of Docker that is every device of the house",
        cure="set FTLCONF_dns_listeningMode=all (before version 6 DNSMASQ_LISTENING=all), where no stranger reaches "
        "port 53",
        source="Pi-hole's documentation, dnsmasq warnings",
        turns_away=True,
    ),
    Failure(
        name="dnssec-missing",
        mark="dnssec validation",
        pattern=r"DNS resolver at (?P<server>[\da-fA-F.:]{2,45}) isn't doing DNSSEC validation",
        cause="the DNS server {server} that the container asks does not check DNSSEC, which Mailu requires",
        cure="give the container a resolver that does (dns in compose: Mailu's own service resolver, or 1.1.1.1), or "
        "let the host ask one",
        source="Mailu's documentation, frequently asked questions",
        look="networks",
    ),
    Failure(
        name="tunnel-quic-closed",
        mark="edge with quic",
        pattern=r"failed to dial to edge with quic\b",
        cause="the tunnel gets no answer by QUIC: the way out on UDP port 7844 is closed, in a firewall or by the "
        "provider",
        cure="open UDP port 7844 to the outside, or recreate it with --env=TUNNEL_TRANSPORT_PROTOCOL=http2, which "
        "needs TCP alone",
        source="Cloudflare's documentation, tunnel with firewall",
        turns_away=True,
        confirmed_by=_OPTION,
        needs=("--env=TUNNEL_TRANSPORT_PROTOCOL=http2",),
    ),
    Failure(
        name="zone-of-domain-unknown",
        mark="zone_id",
        pattern=r"(?:Unable to determine|Error determining) zone_id(?: for (?P<domain>[\w.*-]{1,253}))?",
        cause="no certificate is issued: the token for the DNS provider is wrong, or does not reach the zone of the "
        "domain",
        cure="make a token at the provider that may edit the DNS of that zone, and write it into the credentials file "
        "(/config/dns-conf in SWAG)",
        source="certbot-dns-cloudflare's documentation",
        turns_away=True,
        look="data",
    ),
)

_DATA = (
    Failure(
        name="omada-database-older",
        mark="wiredtiger",
        pattern=r"persistent data for MongoDB is using WiredTiger (?P<data>[\d.]{1,20}) \(an older MongoDB\) but "
        r"this version of the image has MongoDB v?(?P<program>[\d.]{1,20}\d)",
        cause="an older MongoDB (WiredTiger {data}) wrote the controller's data, and this image has a newer one ({program})",
        cure="run the previous major tag again (5), or upgrade the database once with the image "
        "for that, as the page in the line says; back up the data first",
        source="mbentley/docker-omada-controller#650",
        build="earlier",
        look="versions",
    ),
    Failure(
        name="inner-mongodb-unsuited",
        mark="mongo db server with exit code 13",
        pattern=r"Fail to start mongo DB server with exit code (?P<code>132|134)\b",
        cause="the MongoDB in the container ended with code {code}, as where the processor lacks AVX",
        cure="give the virtual machine the CPU type host, or run a tag with an older MongoDB (5)",
        source="mbentley/docker-omada-controller#664",
        confirmed_by="container.cpu-unsupported",
        needs=("avx",),
        look="machine",
    ),
    Failure(
        name="inner-mongodb-ended",
        mark="mongo db server with exit code",
        pattern=r"Fail to start mongo DB server with exit code (?P<code>\d{1,3})\b",
        cause="the MongoDB in the container ended with code {code}: its data has another version or is damaged, or "
        "belongs to another user",
        cure="look who owns the data folder, and at mongod.log in its logs",
        source="mbentley/docker-omada-controller#741",
        look="data",
    ),
    Failure(
        name="portainer-edition",
        mark="portainer database is set for",
        pattern=r"Portainer database is set for (?P<edition>Portainer [\w ]{3,40}?Edition)",
        cause="the database belongs to the {edition}, and this image is the other edition",
        cure="run the image of the {edition} again, or take the database back to this one as its page says",
        source="Portainer's documentation, downgrade from BE to CE",
    ),
    Failure(
        name="h2-format",
        mark="write format",
        pattern=r"The write format (?P<data>\d{1,4}) is smaller than the supported format (?P<program>\d{1,4})",
        cause="the database file of H2 is of format {data}, which this release of the program ({program}) does not write: "
        "an older release has made it",
        cure="run the release that made it, and load its data into PostgreSQL or MySQL from there; or a release "
        "between that converts it",
        source="Metabase's documentation, migrating from H2",
        build="earlier",
        look="versions",
    ),
    Failure(
        name="loki-structured-metadata",
        mark="required to store structured metadata",
        pattern=r"required to store Structured Metadata\b",
        cause="Loki 3 keeps structured metadata unless that is switched off, and the schema in its configuration is "
        "too old for it",
        cure="set allow_structured_metadata: false below limits_config; later add a schema v13 with the store tsdb "
        "from a future day on",
        source="Loki's documentation, upgrading to 3.0",
        remedy=Given("-validation.allow-structured-metadata=false"),
    ),
    Failure(
        name="loki-schema-absent",
        mark="validateschemarequirements(",
        pattern=r"\bloki\.validateSchemaRequirements\(",
        cause="the configuration of Loki has no schema_config, which says how it keeps its data",
        cure="write a schema_config with one period into it: store tsdb, object_store filesystem, schema v13, as in "
        "the file local-config.yaml of the image",
        source="grafana/loki#16698",
    ),
    Failure(
        name="n8n-command",
        mark="error: command ",
        pattern=r"^Error: command (?P<word>/bin/(?:ba)?sh|n8n) not found\b",
        cause="the image starts n8n itself, and takes the container's command for n8n's own arguments: {word} is none",
        cure="leave {word} out of the command: only what follows n8n in it, such as start --tunnel",
        source="n8n-io/n8n#6859",
        remedy=BareArguments("n8n"),
    ),
    Failure(
        name="loki-lines-too-old",
        mark=("too far behind", "timestamp too old"),
        pattern=r"(?:\bignored, reason: ')?\bentry too far behind\b|\btimestamp too old:",
        cause="Loki refuses lines that are older than what it has of their stream, or than a week: whoever sends them "
        "reads old files, or two send the same stream",
        cure="let the sender skip the old lines (drop with older_than in Promtail), and give each sender labels of its "
        "own",
        source="Loki's documentation, accepting out-of-order writes",
    ),
    Failure(
        name="kafka-topic-absent",
        mark="unknown_topic_or_part",
        pattern=r"UNKNOWN_TOPIC_OR_PART\b",
        cause="the broker has no topic that the program reads: the step that makes the topics has not run, or broke "
        "off",
        cure="run the installation or the program's own command for its topics again (in Sentry install.sh), or make "
        "the topic with kafka-topics.sh",
        source="getsentry/self-hosted, troubleshooting Kafka",
    ),
)

_OF_THE_HOUSE = (
    Failure(
        name="mqtt-address-bare",
        mark="missing protocol",
        pattern=r"\bMQTT\b.{0,60}\bMissing protocol\b",
        cause="the address of the MQTT server has no protocol before it in the program's configuration",
        cure="write mqtt:// before the address of the server in the configuration file",
        source="Koenkk/zigbee2mqtt#4441",
    ),
    Failure(
        name="nodered-credentials",
        mark="error loading credentials",
        pattern=r"Error loading credentials\b",
        cause="Node-RED cannot decrypt the passwords of its flows: another secret has encrypted them (credentialSecret in "
        "settings.js, or _credentialSecret in .config.runtime.json), or the file is damaged",
        cure="bring the previous secret back; where it is lost, move flows_cred.json aside and "
        "type the passwords into the flows again",
        source="Node-RED documentation, securing credentials",
        turns_away=True,
        look="data",
    ),
    Failure(
        name="home-secret-undefined",
        mark="not defined",
        pattern=r"\bSecret (?P<key>\w{1,60}) not defined\b",
        cause="Home Assistant's configuration takes the secret {key} from secrets.yaml, which has none of that name",
        cure="add {key} to secrets.yaml beside configuration.yaml, or correct the name",
        source="Home Assistant documentation, storing secrets",
        turns_away=True,
    ),
    Failure(
        name="zigbee-adapter",
        mark="usb adapter discovery error",
        pattern=r"USB adapter discovery error \((?P<why>[^)\n]{1,100})\)",
        cause="Zigbee2MQTT finds no stick: none was given to the container, or its settings name neither the port nor "
        "the kind of adapter, which version 2 asks for",
        cure="recreate it with --device and the name of the stick below /dev/serial/by-id, and set port and adapter "
        "below serial in configuration.yaml",
        source="zigbee2mqtt's documentation, version 2.0.0",
        look="devices",
    ),
    Failure(
        name="clock-unsynchronised",
        mark="clock is not synchronized",
        pattern=r"system clock is not synchronized accurately enough",
        cause="the clock of the host differs from that of the time server, or the container does not reach one (UDP "
        "port 123)",
        cure="let the host keep its time (timedatectl set-ntp true); where port 123 stays closed, switch this check of "
        "the program off (ntp: disable_startup_check in Authelia)",
        source="Authelia's documentation, ntp",
        look="machine",
    ),
    Failure(
        name="extension-needs-superuser",
        mark=("to create extension", "extension is required"),
        pattern=r"permission denied to create extension \\?\"(?P<extension>[\w-]{1,60})"
        r"|\b(?P<extension_asked>[\w-]{1,60}) extension is required, but the current user does\S{2,3}t have permission",
        cause="the program's database user may not create the extension {extension}: that takes a superuser",
        cure='let the superuser of the database run CREATE EXTENSION IF NOT EXISTS "{extension}" in it once',
        source="Miniflux' documentation, database configuration",
        look="database",
    ),
    Failure(
        name="localhost-unresolved",
        mark='host name "localhost"',
        pattern=r"could not translate host name \"localhost\"",
        cause="the name localhost does not resolve in the container: its file /etc/hosts is hidden or empty",
        cure="remove what is mounted over /etc or /etc/hosts, and recreate the container",
        source="ONLYOFFICE/Docker-DocumentServer#171",
        look="mounts",
    ),
)

_MIGRATIONS = (
    Failure(
        name="rocketchat-locked",
        mark="database locked at version",
        pattern=r"Database locked at version: (?P<data>\d{1,5})\b",
        cause="a migration of the database was broken off at version {data}, and its lock is left there: Rocket.Chat "
        "does not start until it is freed",
        cure="make sure that no other Rocket.Chat runs, then set locked to false in the document control of its "
        "collection rocketchat_migrations, with mongosh",
        source="Rocket.Chat's own message",
        look="database",
    ),
)

HOME_SERVERS = (*_MEDIA, *_NETWORK, *_DATA, *_OF_THE_HOUSE, *_MIGRATIONS)
