"""Lines of real logs for the rows of `diagnose/programs/failures/settings/image_variables.py`."""

LINES = {
    "keycloak-vendor": "/opt/jboss/tools/docker-entrypoint.sh: line 156: DB_ADDR: unbound variable",
    "strapi-keys": 'error: Middleware "strapi::session": App keys are required. Please set app.keys in config/server.js',
    "neo4j-setting-unknown": "Unrecognized setting. No declared setting with name: PORT. Cleanup the config",
    "authentik-secret": "Secret key missing, check https://goauthentik.io/docs/installation/.",
    "flask-application": "Error: Could not locate a Flask application. Use the 'flask --app' option",
    "rails-master-key": "encrypted_file.rb:118:in `_decrypt': ActiveSupport::MessageEncryptor::InvalidMessage",
    "postgres-password": "Error: Database is uninitialized and superuser password is not specified.",
    "mysql-password": "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified",
    "couchdb-admin": 'ERROR: CouchDB 3.0+ will no longer run in "Admin Party"',
    "minecraft-eula": "[init] [ERROR] Please accept the Minecraft EULA at",
    "mssql-eula": "The SQL Server End-User License Agreement (EULA) must be accepted before SQL Server can start.",
    "superset-secret": "Refusing to start due to insecure SECRET_KEY",
    "peertube-secret": "secrets.peertube is missing in config. Generate one using `openssl rand -hex 32`",
    "searxng-secret": "ERROR:searx.webapp: server.secret_key is not changed. Please use something else",
    "rails-secret": "ArgumentError: Missing `secret_key_base` for 'production' environment",
    "django-secret": "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.",
    "keycloak-hostname": "ERROR: Strict hostname resolution configured but no hostname setting provided",
    "minio-credentials": "MINIO_ROOT_USER length should be at least 3, and MINIO_ROOT_PASSWORD length at least 8 characters",
    "n8n-key": "Error: Mismatching encryption keys. The encryption key in the settings file does not match",
    "spring-datasource": "Failed to configure a DataSource: 'url' attribute is not specified and no embedded datasource",
    "odoo-database": "2019-05-09 08:12:01,115 1 ERROR shop odoo.modules.loading: Database shop not "
    "initialized, you can force it with `-i base` ",
    "airflow-database": "ERROR: You need to initialize the database. Please run `airflow db init`.",
    "mysql-user-root": (
        '2024-05-01 10:00:00+00:00 [ERROR] [Entrypoint]: MYSQL_USER="root", MYSQL_USER and MYSQL_PASSWORD are for '
        "configuring a regular user and cannot be used for the root user"
    ),
    "rails-key-absent": (
        "Missing encryption key to decrypt file with. Ask your team for your master key and write it to "
        "/app/config/master.key or put it in the ENV['RAILS_MASTER_KEY']."
    ),
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
