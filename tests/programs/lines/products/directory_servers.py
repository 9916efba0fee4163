"""Lines of real logs for the rows of `diagnose/programs/failures/products/directory_servers.py`."""

from __future__ import annotations

LINES = {
    "openldap-folder": "olcDbDirectory: value #0: invalid path: No such file or directory",
    "keycloak-database-kind": 'URL format error; must be "jdbc:h2:{ {.|mem:}[name] }[;key=value...]" but is "jdbc:mysql://mysql:3306/keycloak"',
    "openldap-data-gone": 'mdb_db_open: database "dc=example,dc=org" cannot be opened: No such file or directory (2). Restore from backup!',
    "openldap-server-id": (
        "5c65be5d read_config: no serverID / URL match found. Check slapd -h arguments."
    ),
    "openldap-backend": ("lt_dlopenext failed: (back_hdb) file not found"),
    "mssql-sector": (
        "Cannot use file '/var/opt/mssql/data/model.mdf' because it was originally formatted with sector size 4096 and is now on a volume with sector size 2097152."
    ),
    "mssql-file-system": (
        "Error 87(The parameter is incorrect.) occurred while opening file '/var/opt/mssql/data/master.mdf' to obtain configuration information at startup."
    ),
    "mssql-damaged": (
        "Error: 5171, Severity: 16, State: 1. /var/opt/mssql/data/master.mdf is not a primary database file."
    ),
    "oracle-expired": ("ORA-28001: the password has expired"),
    "keycloak-import": (
        'ERROR: Unable to parse realm import: Unrecognized field \\"oauth2DeviceCodeLifespan\\"'
    ),
}
