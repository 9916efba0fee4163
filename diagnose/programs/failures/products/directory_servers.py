"""Known failures of OpenLDAP, SQL Server, Oracle and Keycloak alone."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import TypedOption

DIRECTORY_SERVERS = (
    Failure(
        name="openldap-folder",
        mark="olcdbdirectory",
        pattern=r"\bolcDbDirectory: value #\d{1,3}: invalid path: (?P<why>[A-Z][\w ]{5,40})",
        cause="OpenLDAP cannot use the folder of its database ({why}): the volume is mounted at another place, or belongs "
        "to another user",
        cure="mount the volume where olcDbDirectory points (/var/lib/ldap as a rule), and give it to the server's user",
        source="OpenLDAP's own message",
        look="mounts",
    ),
    Failure(
        name="keycloak-database-kind",
        mark="url format error; must be",
        pattern=r'URL format error; must be "jdbc:h2:.{1,300}but is "jdbc:(?P<kind>mariadb|mysql|oracle|postgres)',
        cause="Keycloak is given the address of a database ({kind}), and not the kind: it takes the address for one of H2",
        cure="set KC_DB to {kind} too",
        source="keycloak/keycloak-ui#3703",
        confirmed_by="container.option-missing",
        needs=("--env=KC_DB={kind}",),
    ),
    Failure(
        name="openldap-server-id",
        mark="serverid / url match",
        pattern=r"read_config: no serverID / URL match found",
        cause="OpenLDAP replicates, and finds itself in none of the addresses of its servers: its container has another host "
        "name than the one in them",
        cure="set --hostname to the name that LDAP_REPLICATION_HOSTS has for this server",
        source="osixia/container-openldap#290",
        remedy=TypedOption("--hostname"),
    ),
    Failure(
        name="openldap-backend",
        mark="lt_dlopenext failed",
        pattern=r"lt_dlopenext failed: \((?P<module>[\w./-]{1,80})\) file not found",
        cause="OpenLDAP's configuration loads {module}, which this release of the image does not have any more (back_hdb and "
        "back_bdb ended with 2.5)",
        cure="run the image that made the data, export them (slapcat), and import them into a new volume (slapadd, back_mdb)",
        source="OpenLDAP's release notes, 2.5",
        build="earlier",
        look="versions",
    ),
    Failure(
        name="openldap-data-gone",
        mark="cannot be opened: no such file",
        pattern=r'mdb_db_open: database "(?P<suffix>[^"\n]{1,120})" cannot be opened: No such file or directory',
        cause="OpenLDAP's configuration names the database {suffix}, and the files of that are not in the data folder: the "
        "volume with the configuration was kept, and the one with the data is new or another one",
        cure="mount the volume with the data again; where no data are needed, empty both folders (/var/lib/ldap and "
        "/etc/ldap/slapd.d)",
        source="osixia/container-openldap, its README on data persistence",
        look="mounts",
    ),
    Failure(
        name="mssql-sector",
        mark="originally formatted with sector size",
        pattern=r"Cannot use file '(?P<file>[^']{1,200})' because it was originally formatted with sector size "
        r"(?P<data>\d{1,10}) and is now on a volume with sector size (?P<program>\d{1,10})",
        cause="SQL Server made {file} on a disk with sectors of {data} bytes, and the volume says {program} now, which it "
        "does not accept",
        cure="put its data on an ext4 or xfs disk with sectors of 512 or 4096 bytes; ZFS and some shares say more",
        source="microsoft/mssql-docker#13",
        look="sharing",
    ),
    Failure(
        name="mssql-file-system",
        mark="(the parameter is incorrect.)",
        pattern=r"Error 87\(The parameter is incorrect\.\) occurred while opening file '(?P<file>[^']{1,200})'",
        cause="SQL Server cannot open {file} on this file system: it needs O_DIRECT, which tmpfs, ZFS and shares of a network "
        "do not have",
        cure="put its data on a volume of Docker on ext4 or xfs",
        source="microsoft/mssql-docker#13",
        look="sharing",
    ),
    Failure(
        name="mssql-damaged",
        mark=("is not a primary database file", "due to inaccessible files"),
        pattern=r"(?P<file>[\w./-]{1,200}) is not a primary database file"
        r"|Database '(?P<file_of>[\w-]{1,100})' cannot be opened due to inaccessible files",
        cause="SQL Server cannot use {file}: it was cut by a full disk or an unclean end, or belongs to another user",
        cure="free the disk and give the folder to user 10001; a file that is cut comes back from a backup alone",
        source="SQL Server's own message",
        look="data",
    ),
    Failure(
        name="oracle-expired",
        mark="ora-28001",
        pattern=r"ORA-28001: the (?:password|account) has expired",
        cause="the password of the program's user in Oracle has expired, as each does 180 days after it was set by default",
        cure="set it again in sqlplus: ALTER USER name IDENTIFIED BY password; ALTER PROFILE DEFAULT LIMIT "
        "PASSWORD_LIFE_TIME UNLIMITED lets it last",
        source="Oracle's own message",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="keycloak-import",
        mark="realm import",
        pattern=r"Unable to (?:parse|import) (?:realm import|realm|Keycloak JSON file)\b.{0,200}"
        r"Unrecognized field \\?\"(?P<word>[\w.]{1,80})",
        cause="the realm that Keycloak imports has the field {word}, which this version does not know: another version has "
        "exported it",
        cure="take {word} out of the file, or run the version that has exported it",
        source="Keycloak's own message",
        build="another",
    ),
)
