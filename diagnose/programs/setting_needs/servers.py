"""Databases, brokers and servers for files, and the programs that call them.

Sources: the documentation of each image.
"""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.setting_needs.needs import SettingNeed, image_named
from diagnose.programs.setting_needs.parts import (
    Called,
    Lacking,
    MountAround,
    MountAt,
    NeighbourWith,
    Published,
    Text,
    Variable,
    Word,
)

_ANY = LazyPattern(r".")
_REDIS = r"(?:^|/)(?:redis|valkey)(?:[:@]|$)"
_ELASTICSEARCH_8 = r"(?:^|/)elasticsearch:[89]\."
_DIND = r"(?:^|/)docker:[^/]{0,60}dind"
_INITDB = "/docker-entrypoint-initdb.d"
_TLS_FOLDER = "DOCKER_TLS_CERTDIR"

SERVER_NEEDS = (
    SettingNeed(
        "start-scripts-elsewhere",
        image_named(r"postgres|postgis|pgvector|timescaledb|mysql|mariadb|mongo"),
        (
            MountAt(
                r"/docker-entrypoint(?:-init(?:db)?)?(?:\.d|-scripts?)?(?:/.{1,100})?"
                r"|/(?:initdb(?:\.d)?|entrypoint-initdb\.d|docker-initdb\.d)(?:/.{1,100})?"
            ),
        ),
        (MountAround(_INITDB),),
        says=(
            f"has {{source}} mounted at {{place}}, and its image runs start scripts only from {_INITDB}"
        ),
        fix=f"the folder has to be mounted at {_INITDB}, before the data folder has data",
    ),
    SettingNeed(
        "redis-password-unsent",
        _ANY,
        (
            Variable(
                r".{0,80}", r"rediss?://(?P<host>[\w.-]{1,200})(?::\d{1,5})?(?:[/?].{0,200})?"
            ),
            Called(
                _REDIS,
                (
                    Word(r"--requirepass \S"),
                    Lacking(Word(r"--user \S")),
                    Lacking(Word(r"--aclfile \S")),
                ),
            ),
        ),
        (
            Variable(r"(?i).{0,40}(?:REDIS|CACHE|BROKER).{0,20}(?:PASS|SECRET|AUTH).{0,40}"),
            Variable(r"(?i).{0,40}(?:PASS|PASSWORD)_FILE"),
        ),
        says="calls {server} without a password ({variable}), and {server} asks for one",
        fix="the address in {variable} needs the password: redis://:PASSWORD@{host}:6379",
    ),
    SettingNeed(
        "search-server-speaks-tls",
        _ANY,
        (
            Variable(
                r"(?i).{0,60}(?:ELASTIC|^ES_).{0,60}",
                r"\[?\"?(?P<address>http://(?P<host>[\w.-]{1,200}):9200).{0,100}",
            ),
            Called(
                _ELASTICSEARCH_8,
                (
                    Lacking(Variable(r"xpack\.security\.enabled", "(?i)false")),
                    Lacking(Variable(r"xpack\.security\.http\.ssl\.enabled", "(?i)false")),
                    Lacking(MountAround("/usr/share/elasticsearch/config/elasticsearch.yml")),
                ),
            ),
        ),
        (),
        says=(
            "calls {address} ({variable}), and {server} serves only HTTPS there, since "
            "xpack.security.enabled is not false"
        ),
        fix="the address has to begin with https:// and needs a user, or security has to be off",
    ),
    SettingNeed(
        "inner-engine-without-tls",
        _ANY,
        (
            Variable("DOCKER_HOST", r"tcp://(?P<host>[\w.-]{1,200}):2375/?"),
            Called(
                _DIND,
                (
                    Variable(_TLS_FOLDER),
                    Lacking(Word(r"(?:--host|-H)[ =]\S{1,100}:2375")),
                    Lacking(Word(r"--tls(?:verify)?=false")),
                ),
            ),
        ),
        (),
        says=(
            "calls the engine of {server} at port 2375 without TLS, and {server} listens only at "
            "2376 with TLS: its DOCKER_TLS_CERTDIR is not empty"
        ),
        fix="DOCKER_TLS_CERTDIR has to be empty in {server}, or the address tcp://{host}:2376",
        cuts_off=True,
    ),
    SettingNeed(
        "inner-engine-with-tls",
        _ANY,
        (
            Variable("DOCKER_HOST", r"tcp://(?P<host>[\w.-]{1,200}):2376/?"),
            Called(
                _DIND,
                (
                    Lacking(Variable(_TLS_FOLDER)),
                    Lacking(Word(r"(?:--host|-H)[ =]\S{1,100}:2376")),
                    Lacking(Word(r"--tls")),
                ),
            ),
        ),
        (),
        says=(
            "calls the engine of {server} at port 2376 with TLS, and {server} listens only at 2375 "
            "without TLS: its DOCKER_TLS_CERTDIR is empty"
        ),
        fix="DOCKER_TLS_CERTDIR has to be /certs in {server}, or the address tcp://{host}:2375",
        cuts_off=True,
    ),
    SettingNeed(
        "console-without-port",
        image_named("minio"),
        (Word(r"(?:^|\s)server\s"), Published("9001/tcp")),
        (
            Word(r"--(?:console-)?address"),
            Variable("MINIO_CONSOLE_ADDRESS"),
            Variable("MINIO_OPTS", r".{0,200}--console-address.{0,200}"),
            MountAround("/etc/config.env"),
        ),
        says="publishes port 9001 without --console-address: its console takes a port at random",
        fix="the command needs --console-address :9001",
        cuts_off=True,
    ),
    SettingNeed(
        "objects-elsewhere",
        image_named("minio"),
        (
            Word(
                r"(?:^|\s)server (?:--\S{1,60} (?:\S{0,30} )?){0,4}(?P<path>/[\w./-]{1,200})(?=\s|$)"
            ),
            MountAt(r"/(?!root/|etc/).{1,200}"),
        ),
        (MountAround("{path}"),),
        says=(
            "keeps its objects in {path}, and nothing is mounted there: {source} is mounted at "
            "{place}, and stays empty"
        ),
        fix="the command has to name {place}, or the volume has to be mounted at {path}",
    ),
    SettingNeed(
        "broker-without-login",
        image_named("eclipse-mosquitto"),
        (
            Text(("/mosquitto/config/mosquitto.conf",), r"(?m)^[ \t]{0,9}listener[ \t]{1,9}\d"),
            Lacking(
                Text(
                    ("/mosquitto/config/mosquitto.conf",),
                    r"(?m)^[ \t]{0,9}(?:allow_anonymous[ \t]{1,9}true|password_file|psk_file|include_dir"
                    r"|(?:auth_|global_)?plugin|use_identity_as_username)\b",
                )
            ),
        ),
        (Word(r"-c (?!/mosquitto/config/mosquitto\.conf)\S"),),
        says=(
            "refuses each client: its file has a listener, and neither allow_anonymous true nor a "
            "password_file"
        ),
        fix="mosquitto.conf needs a password_file, or allow_anonymous true on a trusted network",
        cuts_off=True,
    ),
    SettingNeed(
        "tls-files-of-directory",
        LazyPattern(r"osixia/openldap"),
        (Variable(r"LDAP_TLS_CRT_FILENAME"),),
        (MountAround("/container/service/slapd/assets/certs"), Variable("LDAP_TLS", "(?i)false")),
        says="makes a certificate of its own: nothing is mounted where it looks for {value}",
        fix="the certificates have to be mounted at /container/service/slapd/assets/certs",
    ),
    SettingNeed(
        "images-undeletable",
        image_named("registry|distribution"),
        (NeighbourWith(r"docker-registry-ui", (Variable("DELETE_IMAGES", "(?i)true"),)),),
        (
            Variable("REGISTRY_STORAGE_DELETE_ENABLED", "(?i)true"),
            MountAt(r"/etc/(?:docker/registry|distribution)(?:/config\.ya?ml)?"),
        ),
        says="refuses to delete images, and {server} offers that to its users",
        fix="REGISTRY_STORAGE_DELETE_ENABLED has to be true",
        option="--env=REGISTRY_STORAGE_DELETE_ENABLED=true",
    ),
    SettingNeed(
        "share-without-folder",
        LazyPattern(r"dperson/samba"),
        (Word(r"-s [^;\s]{1,80};(?P<path>/[\w./-]{1,200})"),),
        (MountAround("{path}"),),
        says="shares {path}, where nothing is mounted: the share is empty",
        fix="the folder has to be mounted at {path}, or the share has to name the mounted one",
    ),
    SettingNeed(
        "smb-port-unpublished",
        LazyPattern(r"(?:^|/)samba(?:[:@]|$)"),
        (Published("139/tcp"),),
        (Published("445/tcp"),),
        says="publishes port 139 and not 445, which all clients of today call",
        fix="port 445 has to be published",
        option="--publish=445:445",
    ),
    SettingNeed(
        "passive-address-unset",
        LazyPattern(r"fauria/vsftpd"),
        (Published("21/tcp"), Variable("PASV_ADDRESS", r"\*\*IPv4\*\*")),
        (),
        says=(
            "has no PASV_ADDRESS: it tells its clients to fetch data from the address that it has "
            "inside Docker"
        ),
        fix="PASV_ADDRESS has to be the address by which clients reach this host",
    ),
)
