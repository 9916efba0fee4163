"""Errors of search servers, caches, brokers and stores, as the programs that call them print
them."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import AtServer, PlainHttp, Typed

_REDIS = LazyPattern(r"redis|valkey|keydb")
_SEARCH = LazyPattern(r"elasticsearch|opensearch(?!-dash)")

CALLED_SERVERS = (
    Failure(
        name="minio-drive-slow",
        mark="offline: unable to write",
        pattern=r"taking drive (?P<folder>/\S{1,200}) offline: unable to write\+read for (?P<time>[\d.]{1,8}s)",
        cause="the disk below {folder} took {time} for one small write, and MinIO serves nothing "
        "from it until it is faster",
        cure="look at the disk's wait on the host with iostat -x 5, and at what else writes to it; a share or a thin virtual "
        "disk is too slow for it",
        source="coleam00/local-ai-packaged#167",
        turns_away=True,
    ),
    Failure(
        name="ftp-calls-back",
        mark="data connection",
        pattern=r"\b425 (?:Can't|Cannot|Could not|Unable to|Failed to) (?:build|create|establish|make|open) "
        r"(?:\w{1,9} )?data connection",
        cause="the FTP server calls the program back for its data (active mode), and that call does not arrive: the address of a "
        "container, and of each machine behind a router, is not an address for it",
        cure="let the program use passive mode, in which it makes that connection itself too; most clients have a switch for it "
        "(PASV, passive)",
        source="RFC 959, 5.4",
        turns_away=True,
    ),
    Failure(
        name="ftp-writable-root",
        mark="refusing to run with writable root",
        pattern=r"vsftpd: refusing to run with writable root inside chroot",
        cause="the FTP server lets nobody in whose own folder he may write, because it locks him into that folder",
        cure="set allow_writeable_chroot=YES in vsftpd.conf (ALLOW_WRITEABLE_CHROOT=YES in some images), or take the right to "
        "write from the folder itself: chmod a-w",
        source="vsftpd's own message",
        turns_away=True,
    ),
    Failure(
        name="registry-login",
        mark="no access controller registered",
        pattern=r"no access controller registered with name: (?P<kind>\S{0,40})",
        cause="the registry does not know the kind of login that it is given: REGISTRY_AUTH has another word than htpasswd, "
        "token or silly, or a space behind it",
        cure="set REGISTRY_AUTH to htpasswd without quotes and spaces, with REGISTRY_AUTH_HTPASSWD_REALM and "
        "REGISTRY_AUTH_HTPASSWD_PATH",
        source="the registry's own message",
        remedy=Typed("REGISTRY_AUTH"),
    ),
    Failure(
        name="login-strategy",
        mark="authentication strategy",
        pattern=r"Unknown authentication strategy \\?\"(?P<strategy>[\w-]{1,40})",
        cause="the program has no login by {strategy}: the provider of it was not there when the program started, or the "
        "variables for it are missing",
        cure="restart the program when the provider answers; if it stays so, set the variables that its documentation names",
        source="Passport's own message",
        turns_away=True,
    ),
    Failure(
        name="zigbee-network",
        mark="configuration-adapter mismatch",
        pattern=r"startup failed - configuration-adapter mismatch",
        cause="the network that the Zigbee stick has stored differs from the one in "
        "Zigbee2MQTT's settings (pan_id, ext_pan_id, network_key, channel)",
        cure="put the values of the lines above into configuration.yaml; with other values all devices have to be paired again",
        source="Koenkk/zigbee2mqtt#23862",
        look="data",
    ),
    Failure(
        name="search-flood",
        mark="",
        pattern=r"(?:FORBIDDEN|TOO_MANY_REQUESTS)/12/|flood[- ]stage (?:disk )?watermark .{0,20}exceeded"
        r"|\bread_only_allow_delete\b",
        cause="Elasticsearch or OpenSearch accepts no more documents: the disk of its data is "
        "fuller than its flood stage allows (95 %), and it has made its indices read-only",
        cure="make room on that disk; Elasticsearch 7.4 and later lift the block then, earlier ones "
        "when index.blocks.read_only_allow_delete is set to null",
        source="elastic/elasticsearch#38024, deviantony/docker-elk#219",
        turns_away=True,
        remedy=AtServer("flooded", _SEARCH),
        look="database",
    ),
    Failure(
        name="search-watermark",
        mark="disk watermark [",
        pattern=r"\bhigh disk watermark \[[^\]]{1,20}\] exceeded on\b",
        cause="the disk of the search server's data is fuller than its high watermark (90 % as a rule): this node gets no "
        "new shards, and at 95 % its indices take no more documents",
        cure="make room on that disk, or delete old indices",
        source="Elastic documentation, disk-based shard allocation",
        goes_on=True,
        look="database",
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
        remedy=AtServer("searched", _SEARCH),
        look="database",
    ),
    Failure(
        name="issuer-differs",
        mark="iss",
        pattern=r"issuer did not match the issuer returned by provider, expected \"(?P<expected>[^\"]+)\" got \"(?P<got>[^\"]+)\""
        r"|Issuer \"(?P<got_spring>[^\"]+)\" provided in the configuration metadata did not match the "
        r"requested issuer \"(?P<expected_spring>[^\"]+)\""
        r"|(?:issuer|iss)\b[^\n]{0,40}\bexpected:? [\"']?(?P<expected_other>https?://[^\"'\s,]+)[\"']?,? "
        r"(?:but )?got:? [\"']?(?P<got_other>https?://[^\"'\s,]+)"
        r"|\bIDX10205\b[^\n]{0,60}\bIssuer: '(?P<got_net>https?://[^'\s]+)'[^\n]{0,400}?Issuer: "
        r"'(?P<expected_net>https?://[^'\s]+)'",
        cause="the identity provider calls itself {got}, and the program expects {expected}: both have "
        "to be the same address",
        cure="give the program the address that the provider calls itself by, or the provider the one "
        "that programs and browsers use (Keycloak: --hostname)",
        source="oauth2-proxy/oauth2-proxy#2365; Microsoft.IdentityModel's own message",
        turns_away=True,
        look="addresses",
    ),
    Failure(
        name="grpc-preface",
        mark="server preface",
        pattern=r"connection closed before server preface received|error reading server preface",
        cause="the server that it calls by gRPC ends the connection before it speaks HTTP/2: it speaks "
        "TLS there, as at port 443 of a proxy, and the program does not, or it speaks HTTP/1",
        cure="turn on TLS in the program (Woodpecker: WOODPECKER_GRPC_SECURE=true), or give it the port "
        "at which the server itself speaks gRPC without TLS",
        source="woodpecker-ci/woodpecker#1090",
        turns_away=True,
    ),
    Failure(
        name="vault-sealed",
        mark="vault is sealed",
        pattern=r"Vault is sealed",
        cause="the Vault server that it calls is sealed, as it is after each of its starts",
        cure="unseal it: `vault operator unseal`, once for each key that it asks for",
        source="namecheap/node-vault-client#12",
        turns_away=True,
        remedy=AtServer("sealed", LazyPattern(r"(?:^|/)(?:vault|openbao)\b")),
    ),
    Failure(
        name="redis-full",
        mark="oom command not allowed",
        pattern=r"OOM command not allowed when used memory > ['\"]?maxmemory",
        cause="Redis holds as much as its maxmemory allows, and accepts no further keys",
        cure="raise maxmemory, or let it drop old keys with maxmemory-policy",
        turns_away=True,
        remedy=AtServer("full_cache", _REDIS),
        look="database",
    ),
    Failure(
        name="redis-protected",
        mark="protected mode",
        pattern=r"DENIED Redis is running in protected mode",
        cause="the Redis that it calls has no password, and then accepts calls only from its own container "
        "(protected mode): its file of settings may be empty, or not the one that was meant",
        cure="set requirepass in the settings of Redis, and the same password in the program",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="redis-unsaved",
        mark="misconf",
        pattern=r"MISCONF Redis is configured to save RDB snapshots",
        cause="the Redis that it calls takes no writes, because it cannot save its data: the log of Redis "
        "says whether the disk, the right to its folder or memory for a copy is missing",
        cure="read the log of Redis, and fix what it says",
        source="redis/redis#584",
        turns_away=True,
    ),
    Failure(
        name="redis-replica",
        mark="read only",
        pattern=r"\b(?:READONLY|ReadOnlyError:) You can't write against a read only (?:replica|slave)",
        cause="Redis refuses writes, because it is a replica of another server",
        cure="let the program write to the master; if there is no master any more, end the replication "
        "with `redis-cli replicaof no one`",
        source="redis/redis#3303",
        turns_away=True,
        remedy=AtServer("replica", _REDIS),
        look="database",
    ),
    Failure(
        name="redis-master-gone",
        mark="",
        pattern=r"Error condition on socket for SYNC|Timeout connecting to the MASTER"
        r"|Unable to connect to MASTER",
        cause="Redis is a replica, and its master does not answer it",
        cure="start the master; if there is none, end the replication with `redis-cli replicaof no one`, "
        "and set a password: attackers do this to a Redis with an open port and no password",
        source="redis/redis#3303",
        look="database",
    ),
    Failure(
        name="database-read-only",
        mark="",
        pattern=r"""(?x)
              cannot\ execute\ (?P<statement>[A-Z]+(?:\ [A-Z]+)?)\ in\ a\ read-only\ transaction
            | running\ with\ the\ --(?:super-)?read-only\ option
            | \bNotWritablePrimary\b
        """,
        cause="the database refuses writes: it is a replica, or the server, the user or the "
        "transaction is set to read-only",
        cure="let the program call the primary server, or turn off the read-only mode where it was set",
        source="the programs' own messages",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="mongo-no-primary",
        mark=("slaveok", "not primary", "nosecondaryok", "noslaveok", "no replica set members"),
        pattern=r"\bnot (?:primary|master) and slaveOk|MongoServerError: not primary|\bNotPrimaryNoSecondaryOk\b"
        r"|\bNotMasterNoSlaveOk\b|No replica set members match selector \"Primary",
        cause="the replica set of MongoDB has no primary, or the program calls another member than that one: the set "
        "was never initiated, or its members do not reach each other",
        cure="see rs.status() in the server's container; where it says that there is no configuration, run "
        "rs.initiate() there once, and give the program all members with ?replicaSet=NAME",
        source="RocketChat/Rocket.Chat#14227",
        look="database",
    ),
    Failure(
        name="tls-expected",
        mark="plaintext",
        pattern=r"received plaintext (?:http )?traffic on an? (?:https|encrypted) channel"
        r"(?:.{0,120}?remoteAddress=/(?P<client>[\d.]+))?",
        cause="it serves only HTTPS, and its clients use plain HTTP: Elasticsearch requires TLS "
        "and a password by default since version 8",
        cure="give the client an address with https://, a user and a password; or, if only trusted "
        "containers reach the port, turn this off with xpack.security.enabled=false",
        source="deviantony/docker-elk#716",
        turns_away=True,
        remedy=PlainHttp(
            (
                (LazyPattern(r"elasticsearch"), "xpack.security.enabled=false"),
                (LazyPattern(r"opensearch(?!-dash)"), "DISABLE_SECURITY_PLUGIN=true"),
            )
        ),
    ),
    Failure(
        name="amqp-arguments",
        mark="inequivalent arg",
        pattern=r"inequivalent arg '(?P<argument>[^']+)' for (?P<kind>queue|exchange) "
        r"'(?P<queue>[^']+)' in vhost '(?P<vhost>[^']+)'",
        cause="the {kind} {queue} was made with another {argument} than the program asks for now",
        cure="delete the {kind} {queue} once it is empty, so that the program makes it again, or "
        "let the program ask for what it was made with",
        remedy=AtServer("broker", LazyPattern(r"rabbitmq")),
        look="database",
    ),
    Failure(
        name="kafka-offset",
        mark="",
        pattern=r"\bOFFSET_OUT_OF_RANGE\b|OffsetOutOfRange|[Oo]ffset out of range"
        r"|_AUTO_OFFSET_RESET\b",
        cause="the program wants to continue at an offset that Kafka no longer has: the messages there were deleted for their age or size, or Kafka has lost its data",
        cure="reset the offsets of its consumer group to the latest or the earliest offset that Kafka has",
        remedy=AtServer("streams", LazyPattern(r"kafka|redpanda")),
    ),
    Failure(
        name="mongoose-buffering",
        mark="buffering timed out",
        pattern=r"Operation `(?P<operation>[\w.]+)\(\)` buffering timed out",
        cause="the program has no connection to MongoDB: it never reached the server of its "
        "connection string",
        cure="start MongoDB, put both on one network, and give its name in the connection string",
        may_pass=True,
        turns_away=True,
    ),
    Failure(
        name="php-upload",
        mark="post content-length of",
        pattern=r"POST Content-Length of (?P<sent>\d{1,15}) bytes exceeds the limit of (?P<limit>\d{1,15}) bytes",
        cause="PHP refuses an upload of {sent} bytes: its post_max_size is {limit}",
        cure="raise post_max_size and upload_max_filesize in a file of conf.d (UPLOAD_LIMIT in the image of phpMyAdmin)",
        source="PHP's own message",
        turns_away=True,
    ),
    Failure(
        name="servlet-part",
        mark="details will be found in the appropriate container log file",
        pattern=r"One or more (?P<part>listeners|Filters) failed to start\. Full details will be found in the appropriate container log file",
        cause="Tomcat did not start the web application, because one of its {part} failed; why is in a file of its own",
        cure="read the end of localhost.DATE.log below logs/ of Tomcat in the container",
        source="Tomcat's own message",
        turns_away=True,
    ),
    Failure(
        name="elastic-user-refused",
        mark="unable to authenticate user [",
        pattern=r"unable to authenticate user \[(?P<user>[^\]\n]{1,80})\] for REST request",
        cause="Elasticsearch refuses the password of user {user}: it was never set there, or is "
        "a different one",
        cure="set it with bin/elasticsearch-reset-password --username {user} in the container of Elasticsearch, and give the "
        "program the same; ELASTIC_PASSWORD is only the one of user elastic",
        source="Elastic documentation, built-in users",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="clickhouse-client-refused",
        mark="authentication failed: code: 193",
        pattern=r"from: (?P<client>[\da-fA-F.:]{3,45}), user: (?P<user>[\w.-]{1,60}): Authentication failed: Code: 193\.",
        cause="a client at {client} logs in to ClickHouse as {user} with another password than ClickHouse has",
        cure="compare the client's password with CLICKHOUSE_PASSWORD and the files of users.d; without a password the image lets "
        "default in only from its own container",
        source="ClickHouse's own message",
        turns_away=True,
    ),
    Failure(
        name="chrome-ends",
        mark=("devtoolsactiveport file doesn't exist", "chrome failed to start"),
        pattern=r"DevToolsActivePort file doesn't exist|\bChrome failed to start: (?:exited abnormally|crashed)",
        cause="Chrome ends right after its start: its shared memory (/dev/shm, 64 MB) is too small, it runs as root with its "
        "sandbox, or an earlier one still uses its profile",
        cure="recreate it with --shm-size=2g, or start Chrome with --disable-dev-shm-usage and --no-sandbox",
        source="SeleniumHQ/docker-selenium's documentation",
        confirmed_by="container.option-missing",
        needs=("--shm-size=2g",),
    ),
)
