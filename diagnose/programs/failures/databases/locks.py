"""Data files that another server has locked, and files that an earlier start has left."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import FreshContainer, Unlocked

_LOCKED = "container.data-locked"
_PID_FILE = "container.pid-file-stale"
_SOCKET = (
    r"/(?:[\w.@+-]{1,60}/){0,10}[\w.@+-]{0,40}(?:sock|\.s\.PGSQL\.\d{1,5}|\.pipe)[\w.@+-]{0,20}"
)
"""The path of a Unix socket, by the names that programs give theirs."""

FREE_LIQUIBASE = "UPDATE DATABASECHANGELOGLOCK SET LOCKED=false"
"""The statement that frees the lock of Liquibase in any database."""

LOCKS = (
    Failure(
        name="liquibase-waits",
        mark="log lock",
        pattern=r"Waiting for change ?log lock",
        cause="it waits for the lock of its migrations in the database (Liquibase): another start of it "
        "runs them now, or one was broken off and has left its lock there",
        cure=f"make sure that no migration runs, then free the lock in the database: {FREE_LIQUIBASE}",
        source="urlaubsverwaltung/urlaubsverwaltung#2137",
        goes_on=True,
        remedy=Unlocked(FREE_LIQUIBASE),
    ),
    Failure(
        name="innodb-lock",
        mark=("unable to lock", "can't lock aria"),
        pattern=r"Unable to lock \S*(?P<file>ibdata1|aria_log_control)[, ]*error: (?:11|35)"
        r"|Can't lock aria control file '\S*?(?P<file_aria>aria_log_control)' for exclusive use, error: (?:11|35)",
        cause="another server uses the same data files ({file} is locked)",
        cure="stop the other container, or give this one a volume of its own",
        source="mailcow/mailcow-dockerized#3057",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="postgres-lock",
        mark=("postmaster.pid", "is another postmaster"),
        pattern=r"lock file \"(?P<file>postmaster\.pid)\" already exists|Is another postmaster \(PID \d+\) running",
        cause="another PostgreSQL uses the same data directory, or one that ended left its postmaster.pid there",
        cure="stop the other container; remove postmaster.pid only where none runs",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="mongo-lock",
        mark="dbpathinuse",
        pattern=r"DBPathInUse: Unable to (?:lock the lock file|create/open the lock file): (?P<file>\S+?)[ .]",
        cause="another MongoDB uses the same data directory",
        cure="stop the other container, or give this one a volume of its own",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="elasticsearch-lock",
        mark="node lock",
        pattern=r"failed to obtain node locks?",
        cause="another node uses the same data path, or its files belong to another user",
        cure="stop the other container, or give this one a volume of its own",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="neo4j-lock",
        mark="store_lock",
        pattern=r"(?:locked by another process|Unable to obtain lock).{0,80}store_lock",
        cause="another Neo4j uses the same data directory",
        cure="stop the other container, or give this one a volume of its own",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="logstash-lock",
        mark="already another instance using the configured data directory",
        pattern=r"already another instance using the configured data directory",
        cause="another Logstash uses the same data directory, or one that was killed left its .lock file there",
        cure="stop the other container, or remove the file .lock in path.data",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="rocksdb-lock",
        mark="lock: ",
        pattern=r"(?:While lock file|IO error: lock|lock file).{0,120}LOCK: (?:Resource temporarily unavailable|already held)",
        cause="another process uses the same database directory",
        cure="stop the other container, or give this one a volume of its own",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="prometheus-lock",
        mark=("lock db directory", "open db in "),
        pattern=r"lock DB directory: resource temporarily unavailable|open DB in \S{1,200}: Locked by other process",
        cause="another Prometheus uses the same data directory",
        cure="stop the other container, or give this one a volume of its own",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="zookeeper-session",
        mark="",
        pattern=r"creating ephemeral at \S+, node already exists and owner"
        r"|NodeExistsException: KeeperErrorCode = NodeExists"
        r"|\bbroker is already registered on the path /\S+",
        cause="ZooKeeper still has the session of this broker's last run, which was not stopped cleanly; that session "
        "expires within half a minute",
        cure="start it again; if it stays so, a second broker runs with the same id",
        source="wurstmeister/kafka-docker#389",
        may_pass=True,
    ),
    Failure(
        name="kafka-lock",
        mark="failed to acquire lock on file .lock",
        pattern=r"Failed to acquire lock on file \.lock in (?P<file>\S+?)\.? ",
        cause="another broker uses the same log directory",
        cure="stop the other container, or give this one a volume of its own",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="lucene-lock",
        mark=("lock held by", "lockobtainfailedexception"),
        pattern=r"Lock held by (?:another program|this virtual machine).{0,80}write\.lock"
        r"|LockObtainFailedException: Index dir '[^']{1,200}'.{0,100}\balready locked",
        cause="another process has the index open",
        cure="stop the other container, or give this one a volume of its own",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="sqlite-locked",
        mark="database is locked",
        pattern=r"database is locked",
        cause="another process holds the SQLite database, or it is on a network file system without locks",
        cure="stop the other container that uses the file, and keep it on a local disk",
        confirmed_by=_LOCKED,
        look="sharing",
    ),
    Failure(
        name="minecraft-lock",
        mark="session.lock",
        pattern=r"(?P<file>session\.lock): already locked",
        cause="another Minecraft server uses the same world, or one that was killed is still there",
        cure="stop the other container, or give this one a world of its own",
        source="itzg/docker-minecraft-server, its own message",
        confirmed_by=_LOCKED,
    ),
    Failure(
        name="restic-lock",
        mark="already locked",
        pattern=r"repository is already locked (?:exclusively )?by PID (?P<process>\d+) on (?P<host>\S+)",
        cause="the repository is locked by process {process} on {host}: another backup uses it, or one that was broken "
        "off has left its lock",
        cure="wait for the other one; where none runs, remove the lock with restic unlock",
        source="restic documentation",
        may_pass=True,
    ),
    Failure(
        name="portainer-lock",
        mark=("failed opening store", "data store", "open the database, err: timeout"),
        pattern=r"failed (?:opening store|initializing data store\b).{0,20}timeout"
        r"|\bUnable to open the database, err: timeout",
        cause="another Portainer uses the same data folder, or one that was killed still holds its file",
        cure="stop the other container until this one has ended, or give this one a volume of its own",
        source="portainer/portainer#8024",
        confirmed_by=_LOCKED,
        look="sharing",
    ),
    Failure(
        name="browser-profile",
        mark="profile appears to be in use",
        pattern=r"profile appears to be in use by another (?:Chromium|Google Chrome) process",
        cause="the browser profile is locked by another container, or by the previous container "
        "with another name",
        cure="remove SingletonLock in the profile directory where no other container uses it",
        confirmed_by=_LOCKED,
    ),
)

PID_FILES = (
    Failure(
        name="postgres-pid-empty",
        mark="postmaster.pid",
        pattern=r"lock file \"postmaster\.pid\" is empty",
        cause="PostgreSQL's postmaster.pid is empty: the host lost its power, or its disk was "
        "full, when an earlier run wrote it",
        cure="remove postmaster.pid from the data directory where no other server uses it, and start it again",
        source="docker-library/postgres#606",
        confirmed_by=_PID_FILE,
        needs=(
            "/var/lib/postgresql/data/postmaster.pid",
            "/bitnami/postgresql/data/postmaster.pid",
        ),
    ),
    Failure(
        name="display-lock",
        mark="-lock",
        pattern=r"(?:no longer running,? remove|remove the lock file) (?P<file>/tmp/\.X\d{1,4}-lock)",
        cause="an earlier run left its lock file {file}, and the X server takes it for a running one",
        cure="remove {file}, and start the container again",
        source="SeleniumHQ/docker-selenium#184",
        confirmed_by=_PID_FILE,
        page={"fresh": "{container}"},
    ),
    Failure(
        name="running-already",
        mark=("already running", "otherpid may be"),
        pattern=r"\bcan't lock (?P<file_cron>/\S{1,200}\.pid), otherpid may be\b|\balready running (?:with|as|at|on) (?:pid|PID|process) \d+ \(?(?:read from|see|according to|pid ?file:?) "
        r"(?P<file>/[^\s)'\"]+)|\balready running on (?P<file_socket>/[\w./-]+\.(?:ctl|sock|pid))\b",
        cause="an earlier run left {file}, and the program takes it for a running server",
        cure="remove {file}, and start the container again",
        source="Dovecot's and Asterisk's own messages",
        confirmed_by=_PID_FILE,
        page={"fresh": "{container}"},
    ),
    Failure(
        name="pid-of-another",
        mark="already running",
        pattern=r"\b(?:process|daemon|instance|server)\b.{0,20}\bPID:? (?P<pid>\d{1,10})\b.{0,20}\balready running\b.{0,12}"
        r"\b(?:exiting|aborting|stopping|quitting)\b",
        cause="an earlier run left its pid file with the number {pid}, which in this run is "
        "another program's, and the program takes that for a running copy of itself",
        cure="recreate the container, or remove the pid file and start it again; its folder is best a tmpfs",
        source="community-valheim-tools/valheim-server-docker#114",
        page={"fresh": "{container}"},
    ),
    Failure(
        name="another-run-counts",
        mark="already running",
        pattern=r"\b(?P<program>[\w.-]{2,40}) is already running \(PID:? ?(?P<pid>\d{1,10})\)",
        cause="{program} takes process {pid} for a running copy of itself: its start script "
        "starts it twice, or an earlier run left its number in a file or in shared memory",
        cure="recreate the container, which begins without what an earlier run left; where it "
        "shares the host's network, IPC or processes, look there for another {program}",
        source="pi-hole/docker-pi-hole#1789",
        remedy=FreshContainer(),
    ),
    Failure(
        name="pid-file-kept",
        mark="cannot remove '",
        pattern=r"\brm: cannot remove '(?P<name>/(?:opt|run|tmp|var/run)/[^'\n]{1,200}\.(?:lock|pid))': Permission denied",
        cause="the start script cannot remove {name}, which an earlier run of this container has left as another user",
        cure="make a new container from the image; a restart of this one fails again",
        source="bitnami/bitnami-docker-redis#186",
        remedy=FreshContainer(),
    ),
    Failure(
        name="rails-pid",
        mark="server is already running",
        pattern=r"A server is already running\s*(?:\(pid: \d+, file: (?P<file>[^)]+)\)|\.? Check (?P<file_check>\S+?)\.?(?:\s|$))",
        cause="an earlier run left its pid file {file}, and the program takes it for a running "
        "server",
        cure="remove the pid file, and start the container again",
        source="Freika/dawarich#689",
        confirmed_by=_PID_FILE,
    ),
    Failure(
        name="unicorn-pid",
        mark="is stale",
        pattern=r"Already running on PID:?\s{0,3}\d+ \(or (?:pid=|pid file ')(?P<file>[^)'\s]+)'? is stale\)",
        cause="an earlier run left its pid file {file}, and the program takes it for a running "
        "server",
        cure="remove the pid file, and start the program again",
        source="sameersbn/docker-gitlab#1305",
        confirmed_by=_PID_FILE,
    ),
    Failure(
        name="apache-pid",
        mark=") already running",
        pattern=r"httpd \(pid \d+\??\) already running",
        cause="an earlier run left its pid file, and Apache takes it for a running server",
        cure="remove httpd.pid in the container, or recreate the container",
        confirmed_by=_PID_FILE,
        needs=("/usr/local/apache2/logs/httpd.pid", "/var/run/apache2/apache2.pid"),
        page={"fresh": "{container}"},
    ),
    Failure(
        name="mysql-socket-lock",
        mark="unix socket lock file",
        pattern=r"Unix socket lock file is empty (?P<file>/\S+?)\.?(?:\s|$)",
        cause="a run that was killed left its lock file {file} empty, and MySQL does not start beside it",
        cure="recreate the container: the file is in its writable layer",
        source="docker-library/mysql#488",
        confirmed_by=_PID_FILE,
        page={"fresh": "{container}"},
    ),
    Failure(
        name="mysql-socket-taken",
        mark="is using unix socket file",
        pattern=r"Another process with pid \d+ is using unix socket file",
        cause="a run that was killed left the lock file of MySQL's socket, and another program of the container has its "
        "process number now",
        cure="recreate the container: the file is in its writable layer",
        source="docker-library/mysql#488",
        confirmed_by=_PID_FILE,
        needs=(
            "/var/run/mysqld/mysqld.sock.lock",
            "/var/run/mysqld/mysqlx.sock.lock",
            "/var/lib/mysql/mysql.sock.lock",
        ),
        page={"fresh": "{container}"},
    ),
    Failure(
        name="mongo-socket",
        mark="failed to unlink socket file",
        pattern=r"Failed to unlink socket file(?:.{0,20}?(?P<file>/[^\s:\"]+))?",
        cause="a run as another user left the socket {file}, which this user may not remove",
        cure="recreate the container: the file is in its writable layer",
        source="docker-library/mongo#437",
        confirmed_by=_PID_FILE,
        page={"fresh": "{container}"},
    ),
    Failure(
        name="socket-link",
        mark=".sock",
        pattern=r"chown: changing ownership of '(?P<file>/\S+\.sock)': No such file",
        cause="an earlier run left the link {file}, which leads to a socket that is gone",
        cure="remove that link, and start the container again",
        source="sprintcube/docker-compose-lamp#221",
        confirmed_by=_PID_FILE,
    ),
    Failure(
        name="socket-taken",
        mark="already",
        pattern=rf"(?P<file>{_SOCKET}).{{0,120}}\bAddress already in use"
        rf"|Address already in use.{{0,60}}?(?P<file_behind>{_SOCKET})"
        rf"|already a server bound to: (?P<file_puma>{_SOCKET})",
        cause="its socket {file} is there already: another server has it, or an earlier run left it",
        cure="remove that socket if no server runs, and start the container again",
        source="paunin/PostDock#245",
        confirmed_by=_PID_FILE,
        page={"fresh": "{container}"},
    ),
    Failure(
        name="pidfile-exists",
        mark="pid",
        pattern=r"already running with PID:? \d+ \(read from (?P<file_read>/[^)\s]{1,200})\)"
        r"|(?:pid ?file|pidfile)[ :\"'(]*(?P<file>/[^\s\"')]+)[\"')]*,? (?:and pid \d+ )?(?:already )?exists?\b|Pidfile \((?P<file_celery>[^)]+)\) already exists",
        cause="an earlier run left its pid file {file}, and the program takes it for a running "
        "server",
        cure="remove the pid file, and start the container again",
        confirmed_by=_PID_FILE,
    ),
    Failure(
        name="postfix-pid",
        mark="mail system is already running",
        pattern=r"the Postfix mail system is already running",
        cause="an earlier run left its pid file, and Postfix takes it for a running server",
        cure="remove /var/spool/postfix/pid/master.pid in the container, or recreate the container",
        confirmed_by=_PID_FILE,
        needs=("/var/spool/postfix/pid/master.pid",),
        page={"fresh": "{container}"},
    ),
    Failure(
        name="dockerd-pid",
        mark=("process with pid", "ensure docker is not running"),
        pattern=r"process with PID \d+ is still running|pid file found, ensure docker is not running or delete (?P<file>\S+)",
        cause="an earlier run of the inner Docker daemon left its pid file",
        cure="remove /var/run/docker.pid in the container, or recreate the container",
        confirmed_by=_PID_FILE,
        needs=("/var/run/docker.pid",),
        page={"fresh": "{container}"},
    ),
    Failure(
        name="squid-pid",
        mark="squid is already running",
        pattern=r"Squid is already running!\s+Process ID \d+",
        cause="an earlier run left its pid file, and Squid takes it for a running server",
        cure="remove /run/squid.pid in the container, or recreate the container",
        confirmed_by=_PID_FILE,
        needs=("/run/squid.pid", "/var/run/squid.pid"),
        page={"fresh": "{container}"},
    ),
)
