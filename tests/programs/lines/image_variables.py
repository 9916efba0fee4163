"""Lines of real logs for the rows of `diagnose/programs/failures/image_variables.py`."""

LINES = {
    "oracle-password": (
        "ERROR: Oracle Database SYS and SYSTEM passwords have to be specified at first database startup."
    ),
    "hasura-database": (
        '{"type":"startup","level":"error","detail":{"kind":"server_configuration","info":"Fatal Error: Required Option '
        'Missing: No metadata database url or metadata database url option"}}'
    ),
    "rabbit-variable": "error: RABBITMQ_SSL_CERTFILE is set but deprecated",
    "keycloak-build": (
        "ERROR: The following build time options have values that differ from what is persisted - the new values will "
        "NOT be used until another build is run: kc.db"
    ),
}
