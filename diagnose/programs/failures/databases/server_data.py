"""Data folders of servers that were begun, emptied or damaged."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import Job, NewVolume

_ANEW = "where the data is not needed, empty the folder or give it a new volume; otherwise restore a backup"
_OF_A_SERVER = LazyPattern(r"\bERROR: {2}duplicate")
"""PostgreSQL's log lines about the statement of a client."""

SERVER_DATA = (
    Failure(
        name="postgres-timeline",
        mark="is not a child of this server's history",
        pattern=r"requested timeline (?P<timeline>\d+) is not a child of this server's history",
        cause="the data of this server and the copy or the primary that it follows have parted: one of them went on by "
        "itself, as a former primary does after a failover",
        cure="copy this server's data from the primary again (pg_basebackup), or bring them back with pg_rewind",
        source="PostgreSQL documentation, timelines",
        look="data",
    ),
    Failure(
        name="postgres-part-missing",
        mark="could not open",
        pattern=r'could not open (?:file|directory|relation mapping file) "(?P<file>(?:global|pg_\w+|base)(?:/[\w.]+)?)": No such file or directory',
        cause="PostgreSQL lacks {file} of its data folder: files were deleted or exchanged, the "
        "folder was copied without its empty folders, or another one is mounted now",
        cure="see what is mounted there, and mount the folder that holds the data; of a copy, make the empty folders "
        "again, or restore a backup",
        source="docker-library/postgres#435",
        look="data",
    ),
    Failure(
        name="postgres-memory-kept",
        mark="pre-existing shared memory block",
        pattern=r"pre-existing shared memory block \(key \d+, ID \d+\) is still in use",
        cause="another PostgreSQL uses the same data folder, or a process of one that was killed is still there",
        cure="stop the other container; where there is none, restart the host, or the program that shares its IPC",
        source="PostgreSQL's own message",
    ),
    Failure(
        name="sqlite-read-only",
        mark="readonly database",
        pattern=r"attempt to write a readonly database",
        cause="the program may read its SQLite database, and not write it: the file or its folder belongs to another "
        "user, or is mounted read-only",
        cure="give file and folder to the user of the program (chown): SQLite writes its journal beside the file",
        source="SQLite documentation, result codes",
        look="sharing",
    ),
    Failure(
        name="innodb-denied",
        mark=("operating system error number 13", "must be writable"),
        pattern=r"InnoDB\]?:? Operating system error number 13 in a file operation"
        r"|\bThe innodb_system data file '[^'\n]{1,80}' must be writable",
        cause="the database server may not use a file of its data folder, which belongs to another user",
        cure="give the folder to the user of the server (999 in the official images): chown -R 999:999 FOLDER",
        source="docker-library/mysql#219",
        look="data",
    ),
    Failure(
        name="aria-damaged",
        mark="aria recovery failed",
        pattern=r"Aria recovery failed",
        cause="the journal of MariaDB's Aria tables is damaged, as after a power loss, or of another release",
        cure="copy the data folder, then remove aria_log_control and the files aria_log.* from it, and start the server "
        "again",
        source="MariaDB's own message; MariaDB/mariadb-docker#392",
        look="data",
    ),
    Failure(
        name="meilisearch-unknown-version",
        mark="failed to infer the version of the database",
        pattern=r"Meilisearch \(v(?P<own>[\d.]+)\) failed to infer the version of the database",
        cause="the data folder holds no complete database of Meilisearch, or one that is older than those that {own} "
        "can read",
        cure="run the release that wrote it and make a dump, then import it with the new one; an empty folder is "
        "filled at the next start",
        source="Meilisearch documentation, updating",
        build="another",
        look="versions",
    ),
    Failure(
        name="key-twice",
        mark="duplicate key value violates",
        pattern=r'duplicate key value violates unique constraint "(?P<constraint>[^"\n]{1,100})"',
        cause="the program writes an entry that the database has already ({constraint}): a start that is not "
        "repeatable ran before, or a counter was not set after data were restored",
        cure="see whether the entry may be removed; after a restore, set the sequence of the table to its highest "
        "number (setval)",
        source="PostgreSQL's own message",
        of_running=NEVER,
        unlike=_OF_A_SERVER,
        look="database",
    ),
    Failure(
        name="mysql-folder-begun",
        mark=("data directory has files in it", "valid data directory"),
        pattern=r"--initialize specified but the data directory has files in it"
        r"|Failed to find valid data directory",
        cause="the data folder is not empty, and holds no complete database: its first start was broken off, it has "
        "a lost+found or hidden files, or another folder is mounted",
        cure=_ANEW,
        source="docker-library/mysql#69, docker-library/mysql#186",
        remedy=NewVolume(("/var/lib/mysql",)),
        look="data",
    ),
    Failure(
        name="innodb-size",
        mark="is of a different size",
        pattern=r"data file '(?P<file>[^']{1,200})' is of a different size (?P<pages>\d+) pages",
        cause="InnoDB's file {file} is incomplete ({pages} pages): its first start was broken off, the disk was full, "
        "or it was copied while the server ran",
        cure=_ANEW,
        source="MySQL's own message",
        look="data",
    ),
    Failure(
        name="innodb-zeros",
        mark="consists of zero bytes",
        pattern=r"page consists of zero bytes in data ?file:? (?P<file>[^\s,]{1,200})",
        cause="InnoDB's file {file} holds nothing but zeros: its first start was broken off, or the disk was full",
        cure=_ANEW,
        source="MariaDB's own message; laradock/laradock#93",
        look="data",
    ),
    Failure(
        name="redis-journal",
        mark="append only file",
        pattern=r"(?:Bad file format|Unexpected end of file) reading the append only file[:.]",
        cause="the end of Redis' journal (AOF) is damaged, as after a full disk or a power loss",
        cure="copy the data folder, then run redis-check-aof --fix on the file with the same image: it cuts off what "
        "is behind the damage",
        source="Redis documentation, persistence",
        look="data",
    ),
    Failure(
        name="mongo-file-newer",
        mark="wiredtiger file version",
        pattern=r"unsupported WiredTiger file version: this build only supports (?:major/minor )?versions? up to (?P<own>[\d/.]+)"
        r".{0,30}?(?:is|are) (?:major/minor )?version (?P<data>[\d/.]+)",
        cause="the data files were written by a newer MongoDB: their format is {data}, and this build reads up to {own}",
        cure="run the image of the MongoDB that wrote them again: data is not taken back by an older one",
        source="MongoDB's own message",
        build="newer",
        look="versions",
    ),
    Failure(
        name="mongo-files-refused",
        mark="operation not permitted",
        pattern=r"\bTerminating\.(?:: |\",\"attr\":\{\"reason\":\")\d{1,3}: Operation not permitted",
        cause="MongoDB's storage may not change its data files: they belong to another user, or lie on a share or a "
        "disk of another system, which keeps no owners and modes",
        cure="put the data into a volume of Docker; on a disk of Linux, give the folder to MongoDB's user with chown",
        source="RCOSDP/LAaaS-docker#27",
        look="sharing",
    ),
    Failure(
        name="mongo-socket-file",
        mark="set up listener",
        pattern=r"Failed to set up listener\b.{0,60}\bSocketException\b.{0,40}\bPermission denied",
        cause="MongoDB may not make its socket file in /tmp: that folder of the container is closed to its user, as "
        "after a copy of Docker's data folder that lost the rights; or its port is below 1024",
        cure="remove the container and the image, and pull the image again; a tmpfs takes over the rights of the folder "
        "that it covers, and does not help",
        source="docker-library/mongo#252",
    ),
    Failure(
        name="rabbit-flags",
        mark="feature flags required by this version",
        pattern=r"feature flags required by this version are not enabled:? ?(?P<flags>[\w, ]{0,120})",
        cause="this release of RabbitMQ needs feature flags that the release before had to switch on first: a "
        "release was skipped",
        cure="run the release before again, then rabbitmqctl enable_feature_flag all in it, then upgrade",
        source="RabbitMQ documentation, feature flags",
        build="earlier",
        look="builds",
    ),
    Failure(
        name="cassandra-address-kept",
        mark="already exists, cancelling join",
        pattern=r"A node with address (?P<address>\S{1,60}) already exists, cancelling join",
        cause="the cluster still knows a node with the address {address}, which this one has "
        "received since, or had before its data was lost",
        cure="remove the old node (nodetool removenode), or start this one with "
        "-Dcassandra.replace_address_first_boot={address}",
        source="Cassandra's own message",
        look="data",
    ),
    Failure(
        name="mssql-system",
        mark="the system directory [",
        pattern=r"The system directory \[/[^\]\n]{1,80}\] could not be created\.",
        cause="SQL Server runs as the user mssql (10001), and may not write its data folder /var/opt/mssql",
        cure="give the folder that is mounted there to that user: chown -R 10001:0 FOLDER",
        source="SQL Server documentation, non-root containers",
        remedy=Job("chown -R 10001:0 .", ("/var/opt/mssql",), user="0"),
        look="data",
    ),
    Failure(
        name="openldap-config-kept",
        mark="is empty but not the",
        pattern=r"the (?:database|config) directory \((?P<path>/[^)\n]{1,200})\) is empty but not the (?:config|database)"
        r" directory \((?P<kept>/[^)\n]{1,200})\)",
        cause="of OpenLDAP's two data folders {path} is empty, and {kept} is not: one of them was lost, or only one is "
        "mounted",
        cure="mount both folders of the same server, or begin with both empty",
        source="osixia/docker-openldap, startup.sh",
        look="data",
    ),
    Failure(
        name="oracle-memory",
        mark="ora-00845",
        pattern=r"\bORA-00845\b",
        cause="Oracle asks for more shared memory than the container's /dev/shm has",
        cure="recreate it with --shm-size=1g (shm_size in compose)",
        source="Oracle documentation, ORA-00845",
        confirmed_by="container.option-missing",
        needs=("--shm-size=1g",),
    ),
    Failure(
        name="nexus-folder",
        mark="../sonatype-work/nexus3/",
        pattern=r"FileNotFoundException: \.\./sonatype-work/nexus3/\S{1,120} \(No such file or directory\)",
        cause="Nexus runs as user 200, and may not write its data folder /nexus-data",
        cure="give the folder that is mounted there to that user: chown -R 200:200 FOLDER",
        source="sonatype/docker-nexus3's documentation, persistent data",
        remedy=Job("chown -R 200:200 .", ("/nexus-data",), user="0"),
        look="data",
    ),
    Failure(
        name="clickhouse-owner",
        mark="does not match the owner of the data",
        pattern=r"Effective user of the process \((?P<user>[\w.-]{1,40})\) does not match the owner of the data \((?P<owner>[\w.-]{1,40})\)",
        cause="ClickHouse runs as {user}, and its data folder belongs to {owner}, which it refuses",
        cure="give the folder to the user of the image: chown -R 101:101 FOLDER",
        source="ClickHouse's own message",
        remedy=Job("chown -R 101:101 .", ("/var/lib/clickhouse",), user="0"),
        look="data",
    ),
    Failure(
        name="activemq-slave",
        mark="broker is now in slave mode",
        pattern=r"Database (?P<path>/\S{1,200}?)/lock is locked by another server\. This broker is now in slave mode",
        cause="another ActiveMQ uses the same store {path}, or one that was killed left its lock "
        "on a share: this one waits and serves no requests",
        cure="stop the other one, or give this one a folder of its own",
        source="ActiveMQ documentation, shared file system master slave",
        turns_away=True,
        look="data",
    ),
    Failure(
        name="solr-core-kept",
        mark="already exists!",
        pattern=r"ERROR: Core '(?P<core>[\w.-]{1,80})' already exists!",
        cause="the start makes the core {core}, which the data folder has already",
        cure="start it with solr-precreate {core}, which leaves a core that is there, instead of "
        "solr create",
        source="Solr documentation, Docker",
        look="data",
    ),
)
"""In the order in which a line is compared with them."""
