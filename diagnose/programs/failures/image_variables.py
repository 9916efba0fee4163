"""Variables that the start scripts of some images ask for, refuse, or take once."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Dropped

_VARIABLE = "container.variable-missing"

IMAGE_VARIABLES = (
    Failure(
        name="oracle-password",
        mark="have to be specified at first database startup",
        pattern=r"Oracle Database SYS and SYSTEM passwords have to be specified at first database startup",
        cause="the data folder is empty, and no password is given for Oracle's administrators",
        cure="set ORACLE_PASSWORD, or ORACLE_RANDOM_PASSWORD to yes",
        source="gvenzl/oci-oracle-xe, container-entrypoint.sh",
        confirmed_by=_VARIABLE,
        needs=("ORACLE_PASSWORD", "ORACLE_RANDOM_PASSWORD"),
    ),
    Failure(
        name="hasura-database",
        mark="no metadata database url",
        pattern=r"Required Option Missing: No metadata database url",
        cause="Hasura is given the address of no database for its metadata",
        cure="set HASURA_GRAPHQL_DATABASE_URL, or HASURA_GRAPHQL_METADATA_DATABASE_URL",
        source="Hasura documentation, server flags",
        confirmed_by=_VARIABLE,
        needs=("HASURA_GRAPHQL_DATABASE_URL", "HASURA_GRAPHQL_METADATA_DATABASE_URL"),
    ),
    Failure(
        name="rabbit-variable",
        mark="is set but deprecated",
        pattern=r"^error: (?P<variable>RABBITMQ_\w{1,60}) is set but deprecated",
        cause="the image of RabbitMQ no longer takes the variable {variable}, and does not start with it",
        cure="remove {variable}, and write that setting into a file of /etc/rabbitmq/conf.d",
        source="docker-library/rabbitmq, docker-entrypoint.sh",
        page={"unset": "{variable}"},
    ),
    Failure(
        name="keycloak-build",
        mark="build time options have values that differ",
        pattern=r"build time options have values that differ from what is persisted\b.{0,160}? run: (?P<option>[\w.-]{1,60})",
        cause="the option {option} counts only when Keycloak's image is built (kc.sh build), and the start with --optimized "
        "takes what was built",
        cure="leave --optimized out, so that it builds at its start, or set {option} in the Dockerfile before kc.sh build",
        source="Keycloak documentation, configuring Keycloak",
        remedy=Dropped("--optimized"),
    ),
)
"""In the order in which a line is compared with them."""
