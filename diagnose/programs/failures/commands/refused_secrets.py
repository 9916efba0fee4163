"""Secrets, checks and projects of a compose file that compose does not take."""

from diagnose.programs.failures.recognition import Failure

REFUSED_SECRETS = (
    Failure(
        name="compose-secret-file-missing",
        mark="secret file",
        pattern=r"secret file (?P<path>[^\s\"]{1,300}) does not exist",
        cause="there is no file {path}, which the compose file names for a secret",
        cure="create the file, or correct file: under secrets (the path counts from the compose file)",
    ),
    Failure(
        name="compose-secret-variable-missing",
        mark="is not set",
        pattern=r"environment variable \"(?P<variable>\w{1,99})\" required by (?P<kind>file|secret|config) \"(?P<name>[\w.-]{1,99})\" is not set",
        cause="{kind} {name} takes its text from the variable {variable}, and the shell of the command has no such variable",
        cure="export {variable}, or write it into the .env file beside the compose file; sudo drops variables unless -E is given",
    ),
    Failure(
        name="compose-secret-in-read-only",
        mark="in read-only service",
        pattern=r"cannot create (?P<kind>secret|config) \"(?P<name>[\w.-]{1,99})\" in read-only service (?P<service>[\w.-]{1,99})",
        cause="compose writes {kind} {name} into the container, and service {service} has read_only: true",
        cure="give the {kind} file: instead of environment: or content: (a file is mounted), or take read_only out",
    ),
    Failure(
        name="compose-without-health-check",
        mark="has no healthcheck configured",
        pattern=r"container (?:for service )?\"?(?P<name>[\w.-]{1,255})\"? has no healthcheck configured",
        cause="another service waits for {name} to be healthy (condition: service_healthy), and {name} has no health check",
        cure="give {name} a healthcheck, or write condition: service_started",
    ),
    Failure(
        name="compose-start-interval-alone",
        mark="start_interval",
        pattern=r"start_interval requires healthcheck\.start_period to be set",
        cause="start_interval counts only during start_period, which the health check does not have",
        cure="add start_period: 30s to the healthcheck, or take start_interval out",
    ),
    Failure(
        name="compose-project-nameless",
        mark="project name",
        pattern=r"project name (?:must not be empty|can't be empty)",
        cause="compose takes the project's name from the folder, and the folder has no letter or digit that a name may have",
        cure="docker compose -p NAME up -d, or write name: NAME at the top of the compose file",
    ),
    Failure(
        name="compose-project-misnamed",
        mark="project name",
        pattern=r"invalid project name \"(?P<name>[^\"\n]{1,100})\"",
        cause='"{name}" is not a name of a project: small letters, digits, - and _ only, beginning with a letter or digit',
        cure="correct -p, COMPOSE_PROJECT_NAME or name: in the compose file",
    ),
    Failure(
        name="compose-project-without-containers",
        mark=("no container found for project", "no containers for project"),
        pattern=r"no container(?: found|s) for project \"(?P<project>[\w.-]{1,99})\"",
        cause="project {project} has no container on this engine: it was not started, or the project has another name",
        cure="docker compose ls -a lists the projects; docker compose -p NAME names one",
    ),
    Failure(
        name="compose-networks-of-one-name",
        mark="multiple networks with name",
        pattern=r"multiple networks with name \"(?P<network>[^\"\n]{1,100})\" were found",
        cause='the engine has several networks of the name "{network}", and compose cannot tell which is meant',
        cure="docker network ls --filter name={network} shows their ids: docker network rm the ones that nobody uses",
    ),
    Failure(
        name="compose-wants-buildx",
        mark="requires buildx",
        pattern=r"compose(?: build)? requires buildx (?:plugin to be installed|[\d.]{1,12}\d or later)",
        cause="compose builds with the plugin buildx, which is missing or too old",
        cure="install or upgrade docker-buildx-plugin (docker buildx version shows what is there)",
    ),
)
"""The first row that fits counts."""
