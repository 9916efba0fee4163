"""Reasons for which a database server ends its own start, beside its locks and its versions."""

from diagnose.programs.failures.recognition import Failure

SERVER_STARTS = (
    Failure(
        name="postgres-build",
        mark="the database cluster",
        pattern=r"""(?x)
            \bThe\ database\ cluster\ was\ initialized\ (?:with|without)\ (?P<what>[A-Z][A-Z_0-9]{3,30})\b
            | \bThe\ database\ cluster\ appears\ to\ use\ a\ different\ (?P<what_number>floating-point\ number\ format)
        """,
        cause="the data were made by another build of PostgreSQL, whose {what} differs: another release, another image, or "
        "one for another kind of processor",
        cure="run the image that made the data again, dump the databases, and load the dump into this one",
        source="PostgreSQL's own message",
        build="another",
        look="versions",
    ),
    Failure(
        name="postgres-control-file",
        mark=("in control file", "control file contains"),
        pattern=r"FATAL:  (?:incorrect checksum in control file|control file contains invalid [\w ]{4,40})",
        cause="the file global/pg_control of PostgreSQL is damaged, as after a power loss or a copy of the folder while it ran",
        cure="restore a backup; copy the data folder before pg_resetwal, which loses transactions",
        source="PostgreSQL's own message",
        look="data",
    ),
    Failure(
        name="postgres-checkpoint",
        mark="checkpoint record",
        pattern=r"FATAL:  could not (?:find redo location referenced by|locate required) checkpoint record",
        cause="the data folder is a copy whose write-ahead log is not complete, or a file backup_label is left in it from a "
        "backup that was broken off",
        cure="of a restored backup, bring its WAL too (restore_command and recovery.signal); where the server itself made no "
        "backup to restore, move backup_label out of the folder",
        source="PostgreSQL's own message",
        look="data",
    ),
    Failure(
        name="postgres-recovery-short",
        mark=("wal ends before", "recovery target was reached"),
        pattern=r"FATAL:  (?:WAL ends before (?:end of online backup|consistent recovery point)"
        r"|recovery ended before configured recovery target was reached)",
        cause="the recovery of PostgreSQL ends too early: files of the write-ahead log are missing that the backup or its target "
        "needs",
        cure="make every WAL file from the begin of the backup on reachable for restore_command, or choose an earlier target",
        source="PostgreSQL's own message",
        look="data",
    ),
    Failure(
        name="postgres-standby-low",
        mark="setting than on the primary server",
        pattern=r"(?P<key>max_\w{4,40}) = (?P<own>\d{1,9}) is a lower setting than on the primary server, "
        r"where its value was (?P<least>\d{1,9})",
        cause="this standby has {key}={own}, and its primary has {least}: a standby needs at least as much",
        cure="set {key} to {least} or more on the standby (-c {key}={least} in its command), and restart it",
        source="PostgreSQL documentation, hot standby",
    ),
    Failure(
        name="postgres-recovery-file",
        mark="recovery command file",
        pattern=r'using recovery command file "(?P<file>[\w./-]{1,200})" is not supported',
        cause="the data folder has a {file}, which PostgreSQL takes no longer since release 12",
        cure="move its lines to postgresql.conf, remove the file, and make an empty standby.signal or recovery.signal",
        source="PostgreSQL documentation, release 12",
        look="data",
    ),
    Failure(
        name="postgres-restore-command",
        mark="must specify restore_command",
        pattern=r"must specify restore_command when standby mode is not enabled",
        cause="the data folder has a file recovery.signal, which asks PostgreSQL to recover from an archive, and restore_command "
        "is empty",
        cure="set restore_command; where the server only follows a primary, rename recovery.signal to standby.signal",
        source="PostgreSQL's own message",
        look="data",
    ),
    Failure(
        name="innodb-file-kept",
        mark="creating system tablespace with existing",
        pattern=r"InnoDB: (?:redo log file|undo tablespace) '(?P<file>[^'\n]{1,200})' exists\. "
        r"Creating system tablespace with existing",
        cause="InnoDB's file {file} is there, and its system tablespace (ibdata1) is not: files of the data folder were "
        "lost, or only a part of it was copied",
        cure="bring ibdata1 back from the same copy or from a backup; only for data that may be lost, an empty folder",
        source="MariaDB's own message",
        look="data",
    ),
    Failure(
        name="innodb-tail",
        mark=(
            "tail of the system tablespace",
            "sum of data file sizes",
            "but the max size allowed",
        ),
        pattern=r"InnoDB: (?:[^\n]{0,60}The tail of the system tablespace is missing"
        r"|Tablespace size stored in header is \d+ pages, but the sum of data file sizes is"
        r"|The last data file has a size of \S+ but the max size allowed is)",
        cause="InnoDB's system tablespace has another size than innodb_data_file_path says: a data file is missing or cut off, "
        "or that setting has changed",
        cure="set innodb_data_file_path as it was, or bring the data file back from a backup",
        source="MariaDB's own message",
        look="data",
    ),
    Failure(
        name="mysql-engines-changed",
        mark="enable all engines that were enabled",
        pattern=r"Recovery failed! You must enable all engines that were enabled at the moment of the crash",
        cause="the server was not stopped cleanly with a storage engine that it does not have now, so that it cannot finish "
        "what was under way",
        cure="start the image and the settings that it ran with before, stop that cleanly, then change them",
        source="MariaDB's own message",
        build="another",
        look="builds",
    ),
    Failure(
        name="mysql-log-absent",
        mark="failed to open log (file",
        pattern=r"Failed to open log \(file '(?P<file>[^'\n]{1,200})', errno 2\)",
        cause="the index of the binary log names {file}, which is not there: it was deleted by hand",
        cure="take its line out of the .index file in the data folder; PURGE BINARY LOGS is the way to delete old ones",
        source="MariaDB's own message",
        look="data",
    ),
    Failure(
        name="mysql-secure-transport",
        mark="--require-secure-transport=on",
        pattern=r"Server is started with --require-secure-transport=ON but no secure transport",
        cause="the server should take TLS connections only (require_secure_transport), and has no certificate and no key",
        cure="set ssl_cert and ssl_key to files that are mounted, or take require_secure_transport out",
        source="MariaDB's own message",
        look="certificate",
    ),
    Failure(
        name="mysql-time-zone",
        mark="unknown default time zone",
        pattern=r"Illegal or unknown default time zone '(?P<zone>[^'\n]{1,80})'",
        cause="the server does not know its time zone {zone}: its tables of time zones are empty, or the name is misspelt",
        cure="write an offset such as +02:00 in default_time_zone, or fill the tables with mysql_tzinfo_to_sql first",
        source="MySQL manual, time zone support",
    ),
    Failure(
        name="redis-listens-nowhere",
        mark="configured to not listen anywhere",
        pattern=r"Configured to not listen anywhere, exiting",
        cause="Redis has nothing to listen on: port is 0, and neither tls-port nor unixsocket is set",
        cure="set port to 6379, or the one of the two that is meant",
        source="Redis' own message",
    ),
    Failure(
        name="redis-cluster-file",
        mark="can't update cluster config file",
        pattern=r"Fatal: can't update cluster config file",
        cause="Redis cannot write the file of its cluster (nodes.conf) in its data folder, which is full, read-only or another "
        "user's",
        cure="give the folder to the user that Redis runs as, and look at its free room",
        source="Redis' own message",
        look="mounts",
    ),
    Failure(
        name="redis-journal-unwritten",
        mark="when the aof fsync policy is 'always'",
        pattern=r"Can't (?:recover from AOF write error|persist AOF for fsync error) when the AOF fsync policy is 'always'",
        cause="Redis cannot write its journal (AOF), and appendfsync always lets it end then: the disk is full or failing",
        cure="free room where its data folder lies (df -h), and start it again",
        source="Redis' own message",
        look="data",
    ),
    Failure(
        name="redis-users-twice",
        mark="with users defined in redis.conf",
        pattern=r"Configuring Redis with users defined in redis\.conf and at the same setting an ACL file path is invalid",
        cause="Redis' users stand in redis.conf and in a file of their own (aclfile), and it takes only one of these",
        cure="move the lines that begin with user into the file, or take aclfile out",
        source="Redis' own message",
    ),
    Failure(
        name="sentinel-file",
        mark="sentinel needs config file on disk",
        pattern=r"Sentinel needs config file on disk to save state",
        cause="Redis Sentinel was started without a file of settings: it keeps its state in that file",
        cure="give it the path of a sentinel.conf that it may write, in a mounted folder of its own",
        source="Redis' own message",
    ),
    Failure(
        name="minio-endpoints",
        mark=("endpoint", "distribution detected", "set drive count", "empty or root path"),
        pattern=r"""(?x)
            (?P<why>Incorrect\ number\ of\ endpoints\ provided | No\ symmetric\ distribution\ detected
                | Invalid\ set\ drive\ count | mixed\ (?:style|scheme)\ endpoints?\ (?:are|is)\ not\ supported
                | duplicate\ endpoints\ found
                | empty\ or\ root\ (?:endpoint|path)\ is\ not\ supported
                | invalid\ URL\ endpoint\ format)
        """,
        cause="MinIO cannot make a set of the drives in its command: {why}",
        cure="name one folder alone, or four or more of one form, such as /data1 to /data4",
        source="MinIO's own messages",
    ),
    Failure(
        name="minio-drives-of-another",
        mark=("erasure deployment", "drives per erasure set", "expected number of sets"),
        pattern=r"is already being used in another erasure deployment|drive is already formatted with \d+ drives per erasure set"
        r"|Expected number of sets \d+, got \d+",
        cause="the folders of MinIO were made for another number or order of drives than its command names now",
        cure="name the same drives in the same order as at the first start; new drives go into a further pool behind them",
        source="MinIO's own messages",
        look="data",
    ),
    Failure(
        name="rabbit-plugin-unfit",
        mark=("built with an incompatible", "support current server version"),
        pattern=r'Failed to enable plugin "[^"\n]{1,120}": it may have been built with an incompatible'
        r"|Plugin doesn't support current server version",
        cause="a plugin in RabbitMQ's list enabled_plugins was built for another release of RabbitMQ or Erlang than this image has",
        cure="mount the release of the plugin that belongs to this RabbitMQ, or take it out of enabled_plugins",
        source="RabbitMQ's own message",
        build="another",
        look="builds",
    ),
    Failure(
        name="rabbit-definitions-bare",
        mark="missing the virtual host field",
        pattern=r"in the definition file are missing the virtual host field",
        cause="the file of definitions was exported from one virtual host alone, and RabbitMQ does not take such a one at its "
        "start",
        cure="export the definitions of the whole broker (rabbitmqctl export_definitions), or add a vhost to each entry",
        source="RabbitMQ documentation, definitions",
    ),
    Failure(
        name="rabbit-advanced-file",
        mark="failed to load advanced configuration file",
        pattern=r'Failed to load advanced configuration file "(?P<file>[^"\n]{1,200})"',
        cause="RabbitMQ cannot read {file}, which has to be a list of Erlang terms that ends with a full stop",
        cure="correct the file; what the new format has belongs into rabbitmq.conf",
        source="RabbitMQ documentation, configuration",
    ),
    Failure(
        name="kafka-listener-protocol",
        mark=("security protocol", "controller listener with name"),
        pattern=r"Unknown security protocol (?P<name>\S{1,60}) in listener|Controller listener with name (?P<name_map>\S{1,60}) defined in"
        r"|Invalid security protocol `(?P<name_form>[^`\n]{1,60})` defined in",
        cause="Kafka does not know what its listener speaks: {name} is not a protocol, or stands in no entry of "
        "listener.security.protocol.map",
        cure="name each listener there with PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL "
        "(KAFKA_LISTENER_SECURITY_PROTOCOL_MAP)",
        source="Kafka's own message",
    ),
    Failure(
        name="kafka-voters",
        mark="each entry should be in the form",
        pattern=r"Each entry should be in the form `?\{id\}@\{host\}:\{port\}",
        cause="the list of Kafka's controllers (controller.quorum.voters) has an entry that is not ID@HOST:PORT",
        cure="write it as 1@kafka1:9093,2@kafka2:9093 in KAFKA_CONTROLLER_QUORUM_VOTERS",
        source="Kafka's own message",
    ),
)
"""In the order in which a line is compared with them."""
