"""Data of another version, locked, or damaged."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import AtServer

_MANY = "many programs"
_LOCKED = "container.data-locked"
_OF_A_CLIENT = LazyPattern(r"^(?!.*\[\d{1,9}\] (?:\S{1,60} )?ERROR:  )")
"""A line that PostgreSQL itself does not print: it repeats the mistakes of each query, with the
number of its process before them. Its clients print them without."""

_REFUSED = LazyPattern(r"[Pp]ermission denied|EACCES")
"""A file that cannot be opened is not damaged, whatever its program takes it for."""
_NEWER = LazyPattern(r"(?i:\bversion\b.{0,40}\b(?:that|which) is newer\b)")
_OF_SQLITE = LazyPattern(r"(?i:sqlite)")
_POSTGRES = LazyPattern(r"postgres|pgvecto|postgis|timescale")

_CHANGES_TABLES = LazyPattern(r"(?i)\b(?:alter|create) table\b|\bmigrat")
"""A statement that no request of a user makes."""

DATA = (
    Failure(
        name="locked-by-another",
        mark="",
        pattern=r"""(?x)
            (?:already\ |is\ )?locked\ by\ (?:another|a\ different)
            | already\ (?:in\ use|opened|locked|running|used)\ by\ (?:another|a\ different)
            | ^(?!.*\baddress\ already\ in\ use\b)(?!.*\b(?:leader|master|primary|replica|elect\w{0,5}
                |skip\w{0,5}|wait\w{0,4}|migrat\w{0,5})\b).*?another\ (?:\w+\ )?(?:instance|process|server|node|copy)\b
                .{0,60}\b(?:running|using|holds|locked|already)
            | (?:could\ not|cannot|can't|failed\ to|unable\ to)\ (?:acquire
                |obtain|get|take)\ (?:the\ |an?\ )?(?:exclusive\ )?(?:file[ ]
                |data\ |write\ |instance\ )?lock\b(?!\ table)
            | \block\ ?file\ (?:is\ )?(?:already\ )?(?:present|exists|found|there)\b
            | ^\W*(?:(?:error|fatal):\ )?[\w.-]{2,40}\ is\ already\ running\W*$
            | \bis\ already\ running\ \(PID\ \d+\)
            | \bdaemon\ is\ (?:already\ )?running\.?\ please\ stop\ it\b
            | \b(?:data|work)\ ?(?:dir(?:ectory)?|folder)\ (?:is\ )?already\ in\ use\b
            | resource\ temporarily\ unavailable.{0,40}\block\b | \block\ hold\ by\ current\ process\b  # RocksDB
            | \bDatabase\ may\ be\ already\ in\ use\b  # H2
            | \bfailed\ to\ lock\ WAL\ directory\b  # Tarantool
        """,
        cause="another program uses the same data, or one that was killed left its lock there",
        cure="stop the other one; remove the lock only where none runs",
        source=_MANY,
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="data-newer",
        mark="",
        pattern=r"""(?x)
            \bdowngrad(?:e|ing)\b.{0,60}\b(?:not|un|in(?=[a-z]))
            | \bcan(?:not|'t)\ downgrade\b
            | \b(?:in|not\ |un)(?:valid|supported|possible)\ downgrade
            | \b(?:catalog|database|schema|data|db|store|index|file)\b[^.]{0,60}\b(?:is
                |was|version)\b[^.]{0,60}\b(?:newer|higher|greater|more\ recent)\b
            | (?:created|made|saved|written)\ (?:by|in|with)\ a\ (?:newer|later|more\ recent)
            | from\ a\ (?:newer|later|future)\ version
            | schema\ version\ does\ not\ align
            | \b(?:format|metadata|schema|storage)\ version\b[^\n]{0,40}\bis\ newer\ than\b
            | is\ lower\ than\ determined | \blast\ used\ with\ [^\n]{1,60}\bis\ too\ high\ for\b
            | \bUnknown\ xl\ (?:header|meta)\ version\b  # MinIO
            | \bIndexFormatTooNewException\b | \bcould\ not\ load\ codec\ 'Lucene
            | \b(?:data|database|schema|store)\b[^\n]{0,40}\bis\ too\ new\ for\b  # Synapse
            | \bhas\ version\ \d{1,6}\ but\ the\ (?:highest|largest|latest|newest)\ supported\ version\ is\b
            | \bversion\ \S{1,40}\ cannot\ be\ loaded\ because\ it\ is\ higher\ than\b  # Factorio
            | \bUpgrading\ the\ data\ dictionary\ from\ dictionary\ version\ '\d{1,10}'\ is\ not\ supported  # MySQL
        """,
        cause="the data was written by a newer version of the program than this image has",
        cure="run the newer image again: data cannot be downgraded",
        source=_MANY,
        build="newer",
        look="versions",
    ),
    Failure(
        name="schema-unsupported",
        of_running=NEVER,
        mark="version",
        pattern=r"""(?x)
            \b(?:unexpected|unknown|unsupported|wrong)\ (?:current\ )?(?:database|data|schema|storage|store|file)
                (?:\ (?:file|format|schema))?\ version\b:?\ v?(?P<version>\d[\w.]*)
            | \b(?:unexpected|unsupported)\ (?:\w+\ ){1,2}version\ \(?v?(?P<version_found>\d[\w.]*)\)?
                \ found\ in\ (?:\w+\ )?data\b
        """,
        cause="the program's data is of version {version}, which this release of the program does not read",
        cure="run the release that wrote the data, and upgrade from there as its notes say; where it migrates the data "
        "itself, let it finish that once",
        source="jchonig/docker-mmonit#31, mbentley/docker-omada-controller#678",
        build="another",
        look="versions",
    ),
    Failure(
        name="data-older",
        unlike=_NEWER,
        mark="",
        pattern=r"""(?x)
            \b(?:database|schema|data|db|store|current\ version|index)\b[^.]{0,60}\b(?:is
                |was|version)\b[^.]{0,40}\b(?:too\ old|older|not\ up\ to\ date
                |outdated)\b
            | (?:must|need\ to|please|it\ is\ required\ to|have\ to)\ (?:first\ )?upgrade\ to
            | needs?\ (?:to\ be\ )?(?:migrated|bootstrapping|bootstrapped|initiali[sz]ed)\b
            | (?<!no\ )(?<!\b0\ )pending\ ?migrations?  # Prisma: No pending migrations to apply
            | \b(?:db:migrate|manage\.py\ migrate|artisan\ migrate|prisma\ migrate\ (?:deploy|dev)
                |alembic\ upgrade|flask\ db\ upgrade|knex\ migrate:latest|sequelize\ db:migrate)\b
            | migrations\ are\ pending | \bnew\ migrations\ available\b
            | \bneed\ to\ (?:upgrade|migrate)\ the\ database\b
            | \brequires?\ (?:an?\ )?upgrad(?:e|ing)\b[^\n]{0,80}\bupgrades?\ (?:is|are)
                \ (?:disabled|not\ (?:allowed|enabled))
            | \bversion\b[^\n]{0,60}\bcan(?:not|'t)\ (?:be\ upgraded|upgrade)\ from\b
            | \bdatabase\ migrations?\ (?:(?:was|were|has|have)\ )?not\ (?:been\ )?(?:applied|executed|found|run)\b
            | \b(?:data|database|db|index|schema|store|tables?)\b(?!\ server)[^\n]{0,60}
                \b(?:needs?\ (?:an\ )?upgrade|is\ lower\ than\ (?:the\ )?(?:current|expected|required))\b
            | un(?:applied|deployed)\ (?:database\ )?(?:migrations?|alterations?)
            | no\ schema\ history\ table
            | \bschema\ version\ compatibility\ check\ failed\b  # Temporal
            | \bschema\b[^.\n]{0,40}\bdoes\ not\ match\b[^.\n]{0,40}\bversion\b
            | \bout-of-date\ database\ schema\b
            | \bskipped\ (?:some\ |an?\ )?required\ (?:update|upgrade|version|migration)
            | \bschema\ version\ compatibility\ check\ failed\b
            | \blast\ used\ with\ .{1,60}\bis\ too\ old\ for\b  # CockroachDB
            | (?:through|via)\ (?:all\ )?(?:the\ )?(?:required\ )?intermediate\ (?:releases|versions)
        """,
        cause="the program's database is not of the version that this image needs: "
        "a migration was not run, or a version was skipped",
        cure="run the program's own migration command once with this image; where a version was "
        "skipped, run the image of the version between first",
        source=_MANY,
        look="builds",
    ),
    Failure(
        name="data-version",
        of_running=NEVER,
        mark="version",
        pattern=r"""(?x)
            ^(?!.*\b(?:api|client|config\w*|minimum)\b)
            (?=.*\b(?:can\ ?not|can't|expect(?:ed|s)|incompatible|mismatch|not\ (?:compatible|match|supported)
                |unsupported|unable)\b)
            .*?\b(?:catalog|data|database|engine|file|format|index|schema|snapshot|storage|store)\b
            [^.\n]{0,40}?\bversion\b[^\w\n]{0,4}(?:is\ |was\ )?['"(\[]?v?(?P<first>\d+(?:\.\d+){0,3})\b
            [^\n]{1,60}?\bversion\b[^\w\n]{0,4}(?:is\ |was\ )?['"(\[]?v?(?P<second>\d+(?:\.\d+){0,3})\b
        """,
        cause="the program's data and the program have different versions: "
        "the line names {first} and {second}",
        cure="run the image of the version that wrote the data, and upgrade as its release notes say",
        source=_MANY,
        build="another",
        look="versions",
    ),
    Failure(
        name="table-missing",
        of_running=_OF_A_CLIENT,
        mark="",
        pattern=r"""(?x)
            relation\ \"(?P<table>[^\"]+)\"\ does\ not\ exist  # PostgreSQL
            | no\ such\ table:\ (?P<table_sqlite>\w+)
            | \bTable\ (?P<table_clickhouse>[\w.]{1,120})\ does(?:n't|\ not)\ exist\.\ \(UNKNOWN_TABLE\)
            | Table\ '(?P<table_mysql>[^']+)'\ doesn't\ exist
            | Schema-validation:\ missing\ table\ \[(?P<table_hibernate>[\w.]+)\]
            | The\ table\ `(?P<table_prisma>[^`]+)`\ does\ not\ exist\ in\ the\ current\ database
        """,
        cause="the database has no table {table}: "
        "the program's migrations have not run in it, or it looks in another database or schema",
        cure="run the program's migrations, and compare the database and the schema that it is given "
        "with those that hold its tables",
        source="supabase/supabase#16962",
        look="database",
    ),
    Failure(
        name="filesystem-damaged",
        mark="",
        pattern=r"Structure needs cleaning|\bEUCLEAN\b",
        cause="the host's file system below this file is damaged",
        cure="stop what uses it, unmount it and repair it (fsck, xfs_repair); the kernel log names the disk",
        source="pi-hole/docker-pi-hole#424",
    ),
    Failure(
        name="mount-disconnected",
        mark="not connected",
        pattern=r"(?P<path>/[\w.@+-]+(?:/[\w.@+-]+)*)['\"’]?: (?:Transport endpoint is|Socket) not connected",
        cause="the program behind the file system at {path} has ended on the host (FUSE, a NAS's user "
        "share), and its mount is dead",
        cure="mount it again on the host, and restart the container",
        source="linuxserver/docker-homeassistant#96",
    ),
    Failure(
        name="revision-unknown",
        mark="",
        pattern=r"""(?x)
            Can't\ locate\ revision\ identified\ by\ '(?P<revision>\w+)'
            | No\ such\ revision\ or\ branch\ '(?P<revision_branch>\w+)'
            | applied\ migration\ not\ resolved\ locally:\ (?P<revision_flyway>[\w.]+)
            | dependencies\ reference\ nonexistent\ parent\ node\ \('\w+',\ '(?P<revision_django>\w+)'
            | (?P<revision_sql>[\w.-]{1,120}):\ unknown\ migration\ in\ database
            | no\ migration\ found\ for\ version\ (?P<revision_go>\d+)
            | \bcontains\ unknown\ migration:?\ \\{0,2}["']?(?P<revision_influx>[\w\ .-]{1,80}\w)
            | migration\ (?P<revision_sqlx>\d+)\ was\ previously\ applied\ but\ is\ missing
            | migration\ directory\ is\ corrupt,\ the\ following\ files\ are\ missing:\ (?P<revision_knex>[\w.-]+)
        """,
        cause="the database was migrated by another build of the program: this one does not know its "
        "migration {revision}",
        cure="run the build that migrated it again; a database is not taken back by an older build",
        source="Alembic's, Flyway's, Django's, Knex', sql-migrate's, golang-migrate's and sqlx' own messages",
        build="newer",
        look="builds",
    ),
    Failure(
        name="migration-failed",
        mark="",
        pattern=r"""(?x)
            \bfound\ failed\ migrations\b | \bP3009\b | \bP3018\b
            | \bmigration\ failed\ to\ apply\b | \bdetected\ failed\ migration\b
            | \bprevious\ migration\b.{0,40}\bfailed\b
        """,
        cause="a migration of the database failed before and is marked as failed, so that no further one "
        "is run",
        cure="mend what the first failure named, then mark the migration as undone: prisma migrate "
        "resolve --rolled-back NAME, flyway repair",
        source="Prisma's documentation, P3009; Flyway's own message",
        of_running=NEVER,
        look="database",
    ),
    Failure(
        name="migration-repeated",
        mark="",
        pattern=r"""(?x)
            \b(?:table|relation|view|column|type|schema|index|constraint)\b[^.\n]{0,80}\balready\ exists\b
            | \bP3005\b | \bDuplicate\ (?:column|key)\ name\b | \bThe\ database\ schema\ is\ not\ empty\b
            | \bFound\ non-empty\ schema | \bCan't\ DROP\b.{0,80}\bcheck\ that\ (?:column|it)\b
        """,
        cause="a migration makes what the database has already: its record of migrations was lost or broken "
        "off, or the database was restored or filled by another program",
        cure="restore the whole dump into an empty database, or mark the migration as done by the program's "
        "own command",
        source="linuxserver/docker-bookstack#209",
        explains_only=True,
        of_running=_CHANGES_TABLES,
        look="database",
    ),
    Failure(
        name="made-before",
        mark="already exist",
        pattern=r"""(?xi)
            \b(?:bucket|cluster|collection|dashboard|database|folder|keyspace|namespace|realm|repository|role|tablespace|tenant
                |topic|vhost)\b[^.\n]{0,80}\balready\ exists?\b
        """,
        cause="the start makes what an earlier start has made already, and its script does not allow for that",
        cure="let the script make it only where it is missing, as IF NOT EXISTS does, or start on an empty "
        "volume if the data is not needed",
        source="netsampler/goflow2#23",
        explains_only=True,
        of_running=NEVER,
    ),
    Failure(
        name="folder-without-data",
        mark="director",
        pattern=r"""(?xi)
            ['"]?(?P<path>/[\w./-]{1,200})['"]?\ is\ not\ an?\ (?:\w+\ ){0,2}(?:cluster|data(?:base)?)\ directory\b
        """,
        cause="{path} holds no data of this program: it was never initialised, or another folder is mounted there",
        cure="compare what is mounted there with where the data lies; where there is none, let the image's own "
        "start script initialise the empty folder",
        source="immauss/openvas#329; PostgreSQL's own message",
        of_running=NEVER,
    ),
    Failure(
        name="column-missing",
        mark="column",
        pattern=r"""(?x)
            no\ such\ column:\ (?P<column>[\w.]+)
            | column\ \"?(?P<column_postgres>[\w.]+)\"?\ (?:of\ relation\ \S+\ )?does\ not\ exist
            | Schema-validation:\ missing\ column\ \[(?P<column_hibernate>[\w.]+)\]
            | Unknown\ column\ '(?P<column_mysql>[\w.]+)'
        """,
        cause="the database has no column {column}: its tables have another version than the program, or "
        "the migrations of this version have not run",
        cure="run the program's own migration command with this image, or the image that the database was "
        "migrated with",
        source="SQLite's, PostgreSQL's and MySQL's own messages",
        of_running=_OF_A_CLIENT,
    ),
    Failure(
        name="database-io",
        mark=("i/o error", "sqlite_ioerr"),
        pattern=r"\bdisk I/O error\b|\bSQLITE_IOERR",
        cause="the program cannot read or write its SQLite file: the disk is full or failing, or the file lies on a "
        "share (NFS, SMB) that cannot lock it",
        cure="look at the free room and the kind of the file system with df -hT; keep the file on a local disk",
        source="grafana/grafana#14584, jellyfin/jellyfin#4430",
        of_running=_OF_SQLITE,
        look="sharing",
    ),
    Failure(
        name="data-damaged",
        unlike=_REFUSED,
        mark="",
        pattern=r"""(?x)
            (?:database\ disk\ image|file|database|index|data)\ is\ (?:malformed
                |corrupt(?:ed)?|damaged)
            # what may or might corrupt it has not done so
            | (?<!can\ )(?<!may\ )(?<!will\ )(?<!could\ )(?<!might\ )(?<!would\ )(?<!avoid\ )(?<!prevent\ )
                \bcorrupt(?:ed|ion)?\b.{0,40}\b(?:database|file|index|page|data|segment|wal|log)\b
            | \b[Dd]atabase\ file:?\ \S{1,200}\ is\ corrupt\b
            | CorruptDatabase | \bSQLITE_(?:CORRUPT|NOTADB)\b
            | file\ is\ not\ a\ database
            | \bsegments\ are\ not\ sequential\b  # Prometheus
            | cannot\ read\ first\ page | (?:header\ page|page)\ .{0,40}\b(?:zero\ bytes|corrupt(?:ed|ion)?)
            | \b(?:read\ )?(?:after|past)\ (?:eof|the\ end\ of\ (?:the\ )?file)\b
            | could\ not\ read\ (?:(?!(?:http|request|response)\b)\w+\ ){1,4}(?:descriptor|header)\b
            | \bnot_a_dets_file\b | \bWT_PANIC\b | \bwal:\ crc\ mismatch\b  # etcd
            | \bcould\ not\ read\ block\ \d{1,12}\ in\ file\b  # PostgreSQL
            | \bis\ marked\ as\ crashed\b  # MyISAM, Aria
            | (?<!gzip:\ )(?<!zlib:\ )(?<!snappy:\ )\b(?:invalid|unexpected|wrong)\ magic\ (?:header|number)\b
            | \bno\ snapshot\ found,\ but\ there\ are\ log\ entries\b
            | ^panic:\ (?:invalid\ page\ allocation|freepages:)  # bbolt: etcd, Consul, Vault
            | \bData\ structure\ corruption\b  # InnoDB
            | \bDetected\ corrupt\ journal\b | \[InnoDB\]\ Assertion\ failure:\ (?:btr|buf|fil|fsp|log|page|rem|trx)\d
            | database\ page\ corruption | \binvalid\ page\ in\ block\ \d{1,10}\ of\ relation\b
            | (?<!client:\ )\bunexpected\ EOF\b(?!:\ (?:GET|PATCH|POST|PUT)\b)[^\n]{0,40}?(?:/data|/var/lib)/
            | checksum\ mismatch\b.{0,40}\b(?:page|block|file|segment)
        """,
        cause="a file of the program's data is damaged, "
        "as after a power loss, a full disk or a copy of it while it was in use",
        cure="copy the data folder first, then restore a backup or use the program's own repair",
        source=_MANY,
        look="data",
    ),
    Failure(
        name="database-extension",
        mark="",
        pattern=r"""(?x)
            # a user who may not create it is not a server that lacks it
            ^(?!.*\b(?:permission|privileges?|superuser)\b).*?
            \bextension\b(?:\ \S+)?(?:\ version)?\ (?:is|was)\ (?!not\ compatible\ with\ the\ current)
                .{0,60}?\b(?:only\ supports|required|not)\b
            | no\ (?P<which>\w+)\ extension\ (?:was\ )?found
            | \bcurrently\ has\ \w+\ [\d.]+\ activated,\ but\ the\ Postgres\ instance\ only\ has\b  # Immich
            | extension\ \"(?P<extension>\w+)\"\ is\ not\ available
            | \btype\ \"(?:\w{1,40}\.)?(?:citext|geography|geometry|halfvec|hstore|ltree|vchordrq|vector|vectors)\"
                \ does\ not\ exist
            | could\ not\ (?:access\ file|open\ extension\ control\ file)\ \"(?P<file>[^\"]+)\"
        """,
        cause="the database server has no such extension, or has another version of it "
        "than the program needs",
        cure="run the database image that the program's release notes name, with the same data",
        source="immich-app/immich#7900",
        remedy=AtServer("extensions", _POSTGRES, is_another=True),
    ),
    Failure(
        name="replica-set",
        mark=("replica set", "replset", "a member of a"),
        pattern=r"""(?x)
            only\ (?:supported|allowed)\ on\ (?:a\ )?replica\ set
            | not\ (?:running\ with|a\ member\ of\ a)\ --?replSet
            | is\ not\ (?:a|part\ of\ a)\ replica\ set
        """,
        cause="the program needs a MongoDB that is a replica set, and this one is a single server",
        cure="start mongod with --replSet rs0, and run rs.initiate() in it once",
        source="RocketChat/Rocket.Chat#5212",
        look="database",
    ),
)
