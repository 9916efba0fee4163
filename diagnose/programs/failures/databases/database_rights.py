"""Errors of databases about users whose password is right, and who lack a right."""

from diagnose.programs.failures.recognition import Failure

_OWN_WORDS = "the servers' own messages"
_REFUSED = "container.database-refused"

DATABASE_RIGHTS = (
    Failure(
        name="account-closed",
        mark="",
        pattern=r"""(?x)
            \brole\ "[^"]+"\ is\ not\ permitted\ to\ log\ in
            | Access\ denied\ for\ user\ '(?P<user>[^']*)'@'[^']*'\.\ Account\ is\ locked
            | Access\ denied,\ this\ account\ is\ locked
        """,
        cause="the database does not let this user log in, whatever the password is: the account is "
        "locked, or was made without that right",
        cure="as the database's administrator, in PostgreSQL: ALTER ROLE ... LOGIN; in MySQL and "
        "MariaDB: ALTER USER ... ACCOUNT UNLOCK",
        confirmed_by=_REFUSED,
        source=_OWN_WORDS,
        look="database",
    ),
    Failure(
        name="database-closed-to-user",
        mark="denied for",
        pattern=r"""(?x)
            Access\ denied\ for\ user\ '(?P<user>[^']*)'@'(?P<account>[^']*)'\ to\ database\ '(?P<database>[^']+)'
            | (?:FATAL|ERROR):\ \ permission\ denied\ for\ database\ "?(?P<database_postgres>[^"\s]+)"?
        """,
        cause="the password is right, and the user has no right to the database {database}",
        cure="as the database's administrator GRANT it, or correct the name of the database",
        confirmed_by=_REFUSED,
        source=_OWN_WORDS,
        look="database",
    ),
    Failure(
        name="database-right-missing",
        mark="",
        pattern=r"""(?x)
            \bpermission\ denied\ for\ (?P<object>(?:function|procedure|relation|schema|sequence|table|view)
                \ "?[\w.$-]+"?)
            | \bmust\ be\ owner\ of\ (?P<object_owned>(?:function|materialized\ view|relation|schema|sequence
                |table|type|view)\ "?[\w.$-]+"?)
            | \b[A-Z][A-Z ]{2,30}\ command\ denied\ to\ user\ '(?P<user>[^']*)'@'[^']*'\ for\ (?P<object_mysql>table
                \ [`'][^\s]{1,160})
            | \bnot\ authorized\ on\ (?P<object_mongo>[\w.$-]+)\ to\ execute\ command
        """,
        cause="the password is right, and the database's user has no right to {object} for this",
        cure="as the database's administrator GRANT it; in PostgreSQL from version 15 on nobody but the "
        "database's owner may make tables in schema public",
        confirmed_by=_REFUSED,
        source=_OWN_WORDS,
        look="database",
    ),
    Failure(
        name="redis-right-missing",
        mark="noperm",
        pattern=r"\bNOPERM\b[^\n]{0,80}\bno permissions to (?:run|access)\b",
        cause="the password is right, and Redis does not permit its user this command or key",
        cure="ACL SETUSER in Redis, with the commands and the keys that the program needs",
        source=_OWN_WORDS,
        look="database",
    ),
    Failure(
        name="schema-unselected",
        mark="no schema has been selected",
        pattern=r"\bno schema has been selected to create in\b",
        cause="the program's database has no schema in which its user may make tables: public was removed, or belongs to "
        "another user, as it does in a dump that was restored",
        cure="as the database's administrator, in that database: CREATE SCHEMA IF NOT EXISTS public; then GRANT ALL ON SCHEMA "
        "public to the user",
        source="PostgreSQL documentation, schemas",
        look="database",
    ),
)
