"""Lines of real logs for the rows of `diagnose/programs/failures/settings/variables.py`."""

from __future__ import annotations

LINES = {
    "secret-made-up": "SECRET_KEY_BASE environment variable is not set. A new random value has been generated for this boot. All user login sessions will be invalidated",
    "variable-to-accept": "TS3SERVER_LICENSE needs to be set to accept for the server to start",
    "ruby-keyerror": 'KeyError: key not found: "REDIS_URL"',
    "spring-placeholder": "IllegalArgumentException: Could not resolve placeholder 'jwt.secret' in value",
    "pydantic-settings": (
        "pydantic_core.ValidationError: 1 validation error for Settings; database_url; Field required"
    ),
    "dotnet-connection": "System.ArgumentNullException: Value cannot be null. (Parameter 'connectionString')",
    "setting-required": "KAFKA_ZOOKEEPER_CONNECT is required.",
    "key-not-given": (
        "Error: Refusing to auto-generate STORAGE_ENCRYPTION_KEY: encrypted credentials already exist in "
        "/app/data/storage.sqlite. Restore the key via an appropriate .env file"
    ),
    "bitnami-empty": "ERROR ==> The MARIADB_ROOT_PASSWORD environment variable is empty or not set.",
    "shell-unbound": "./run.sh: line 4: DATABASE_URL: unbound variable",
    "shell-parameter": "sh: HTTP_PORT: parameter not set",
    "python-keyerror": "KeyError: 'BOT_TOKEN'",
    "variable-required": "Error: environment variable API_TOKEN is required",
    "rust-variable": "called `Result::unwrap()` on an `Err` value: NotPresent",
    "supervisor-variable": "Error: Format string 'DB_HOST=\"%(ENV_DB_HOST)s\"' for 'program:web.environment' contains names ('ENV_DB_HOST') which cannot be expanded. Available names: ENV_HOME",
}
