"""Errors of docker compose about a project that it cannot start, with their meaning in plain
words."""

from diagnose.programs.failures.recognition import Failure

COMPOSE = (
    Failure(
        name="compose-port-empty",
        mark="no port specified",
        pattern=r"no port specified: (?P<port>[^\s<]{0,60})<empty>",
        cause='a port of the compose file is empty ("{port}"): a variable in it has no value, or one side of the colon is missing',
        cure='docker compose config shows the file with its variables; write HOST:CONTAINER, such as "8080:80"',
    ),
    Failure(
        name="compose-unavailable",
        mark="compose",
        pattern=r"'compose' is not a docker command|docker-compose: (?:command )?not found",
        cause="the compose plugin of the docker command is not installed, "
        "or only its older form docker-compose is",
        cure="install the package docker-compose-plugin (Debian's own: docker-compose), "
        "and type docker compose with a space",
        source="docker/compose#10762",
    ),
    Failure(
        name="compose-taken-as-options",
        mark="unknown shorthand flag",
        pattern=r"unknown shorthand flag: '\w' in -\w",
        cause="the docker command does not know the word before this option, and took the option as its own: "
        "for docker compose its plugin is not installed",
        cure="install the package docker-compose-plugin (Debian's own: docker-compose)",
        source="getumbrel/llama-gpt#62",
    ),
    Failure(
        name="compose-file-missing",
        mark="no configuration file provided",
        pattern=r"no configuration file provided: not found",
        cause="there is no compose.yaml or docker-compose.yml in this folder or above it",
        cure="type the command in the folder of the project, or name the file with -f",
    ),
    Failure(
        name="compose-date-unquoted",
        mark="invalid jsontype",
        pattern=r"(?P<place>services\.[\w.-]{1,200}) invalid jsonType (?P<type>[\w.*\[\]{}]{1,60})",
        cause="{place} has a value that YAML takes for another type ({type}): a date without quotes is one of them",
        cure='put the value into quotes: "2026-01-31"',
    ),
    Failure(
        name="compose-variable-blank",
        mark="variable is not set",
        pattern=r"the \W{0,3}(?P<variable>\w{1,99})\W{0,3} variable is not set\. defaulting to a blank",
        cause="compose found {variable} neither in its environment nor in the file .env of the project's "
        "folder, and put an empty text in its place",
        cure="write {variable}=VALUE into .env beside the compose file, and recreate with "
        "docker compose up -d; in a value that is meant to have a dollar sign, write $$",
        source="docker/compose#4189",
        confirmed_by="container.variable-missing",
    ),
    Failure(
        name="compose-file-forbidden",
        mark=("compose", ".env: permission denied"),
        pattern=r"^(?:error: )?(?:failed to \w{1,20} \S{1,300}: )?(?:open|stat|read) "
        r"(?P<path>/(?!(?:app|code|usr/src|var/www)/)\S{1,300}/(?:(?:docker-)?compose[\w.-]{0,40}\.ya?ml|\.env)): permission denied",
        cause="the user who types docker compose may not read {path}",
        cure="namei -l {path} shows the rights of each folder; chown or chmod it, or type the command as its owner (docker of snap reads below "
        "the user's home only)",
    ),
    Failure(
        name="compose-env-line",
        mark="in variable name near",
        pattern=r"(?P<file>[^\s:]{1,300}): line (?P<line>\d{1,6}): unexpected character \"(?P<character>[^\n]{1,4}?)\" in variable name",
        cause="line {line} of {file} does not have the form NAME=VALUE: the name has the character {character}",
        cure="a name has letters, digits and _ only; put a value of several lines into quotes",
    ),
    Failure(
        name="compose-key-twice",
        mark="already defined at line",
        pattern=r"mapping key \"(?P<key>[^\"\n]{1,100})\" already defined at line (?P<line>\d{1,6})",
        cause="the YAML file that is read (of docker compose: the compose file) has the key {key} twice in one place; the first "
        "is on line {line}",
        cure="join the two, or give the second another name",
    ),
    Failure(
        name="compose-volume-kept",
        mark="from the previous container",
        pattern=r"is using volume \"(?P<path>[^\"\n]{1,200})\" from the previous container",
        cause="the new container keeps the anonymous volume of the old one at {path}, so that the folder of the host named in the file has no effect",
        cure="docker compose up -d --renew-anon-volumes (-V) takes the file's mount; what is in the volume alone has to be copied first",
        source="docker/compose's own message",
        confirmed_by="container.volume-outdated",
    ),
    Failure(
        name="compose-health-interval",
        mark="start_interval",
        pattern=r"start_interval[^\n]{0,80}requires? Docker Engine v(?P<needs>\d+)",
        cause="start_interval of a health check needs engine {needs} or later, and this engine is older",
        cure="take the line out, or update the engine",
    ),
    Failure(
        name="host-network-with-ports",
        mark=("port bindings", "port_bindings"),
        pattern=r"host\"? (?:network_mode is incompatible|cannot be used) with port[ _]bindings",
        cause="the service uses the host's network, where a program's port is the host's own: there is nothing to publish",
        cure="take ports: out of that service, or network_mode: host",
    ),
    Failure(
        name="compose-variable-required",
        mark="required variable",
        pattern=r"required variable (?P<variable>\w{1,99}) is missing a value",
        cause="the compose file requires {variable}, which is neither in the environment nor in .env",
        cure="write {variable}=VALUE into .env beside the compose file",
    ),
    Failure(
        name="compose-yaml",
        mark="yaml: ",
        pattern=r"yaml: (?:while [^:]{1,99}: )?line (?P<line>\d{1,6})(?:, column \d+)?: "
        r"(?:did not find|mapping values|found (?:a tab|character|undefined|unexpected)|could not find"
        r"|block sequence|mapping key)",
        cause="the file (of a program, the one that it names; of docker compose, the compose file) is not valid YAML near "
        "line {line}: often the reason is a wrong indentation, a tab, or a missing space behind a colon",
        cure="correct line {line} or the one above it; docker compose config -q checks a compose file",
    ),
    Failure(
        name="compose-version",
        mark="unsupported",
        pattern=r"Version in \"[^\"]{1,300}\" is unsupported|Unsupported config option for \S+",
        cause="this docker-compose is too old for the compose file, or the file names a wrong version",
        cure="use docker compose (version 2), and remove the line version: from the file",
    ),
    Failure(
        name="compose-key",
        mark="not allowed",
        pattern=r"additional propert(?:y|ies) '?(?P<key>[\w.-]{1,99})'? (?:is |are )?not allowed",
        cause="the compose file has {key} at a place where this compose knows no such key: a wrong "
        "indentation, a misspelling, or a file that was written for a newer compose",
        cure="correct the file, or install a newer compose where its key is documented: docker "
        "compose version says which one runs, and docker compose config -q checks the file",
    ),
    Failure(
        name="compose-type",
        mark=" must be a",
        pattern=r"(?P<key>(?:services|networks|volumes|configs|secrets)[.\w-]{1,200}) must be an? "
        r"(?P<type>list|mapping|string|boolean|number|integer|array|object)",
        cause="{key} of the compose file is not a {type}",
        cure="write it as the reference of compose files has it: items of a list begin with a dash; "
        "docker compose config -q checks the file",
    ),
    Failure(
        name="compose-undeclared",
        mark="refers to undefined",
        pattern=r"service \"?(?P<service>[\w.-]{1,99})\"? refers to undefined "
        r"(?P<kind>volume|network|secret|config) (?P<name>[^\s:]{1,99})",
        cause='service "{service}" uses the {kind} {name}, which the compose file does not declare',
        cure="declare {name} under {kind}s at the end of the compose file, without indentation",
    ),
    Failure(
        name="compose-dependency-undeclared",
        mark="depends on undefined service",
        pattern=r"service \"(?P<service>[\w.-]{1,99})\" depends on undefined service \"?(?P<name>[^\s\":]{1,99})",
        cause='service "{service}" waits for service {name}, which the compose file does not have',
        cure="correct the name below depends_on, or name the file that has {name} with a second -f",
    ),
    Failure(
        name="compose-without-image",
        mark=("neither an image nor a build", "must specify either image or build"),
        pattern=r"service \"?(?P<service>[\w.-]{1,99})\"? has neither an image nor a build context"
        r"|invalid service \"(?P<service_old>[\w.-]{1,99})\"\. Must specify either image or build",
        cause='the compose file names no image and no build for service "{service}"',
        cure="give the service image or build; a wrong indentation can hide them",
    ),
    Failure(
        name="compose-env-file",
        mark="env file",
        pattern=r"env file (?P<path>\S{1,300}) not found|\bCouldn't find env file: (?P<path_old>\S{1,300})",
        cause="there is no {path}, which the compose file names under env_file",
        cure="create the file, correct its path, or give it required: false",
    ),
    Failure(
        name="compose-service-stopped",
        mark="is not running",
        pattern=r"service \"(?P<service>[\w.-]{1,99})\" is not running",
        cause='service "{service}" has no running container in this project',
        cure="see docker compose ps -a; docker compose logs --tail 20 {service} says why it ended",
    ),
    Failure(
        name="compose-job-failed",
        mark="didn't complete successfully",
        pattern=r"service \"(?P<service>[\w.-]{1,99})\" didn't complete successfully: exit (?P<code>\d+)",
        cause='another service waits for the end of service "{service}", which exited with code {code}',
        cure="read what it printed with docker compose logs --tail 20 {service}",
        confirmed_by="container.exits-at-start",
    ),
    Failure(
        name="compose-interpolation",
        mark="invalid interpolation format",
        pattern=r"invalid interpolation format for (?P<key>[\w.-]{1,200})",
        cause="{key} of the compose file has a $ that begins no valid variable",
        cure="write $$ for a dollar sign of its own; a default stands behind :- in the braces of a variable",
    ),
    Failure(
        name="compose-top-level",
        mark="top level object",
        pattern=r"Top level object in '(?P<file>[^'\n]{1,300})' needs to be an object",
        cause="{file} is empty, or does not begin with a key such as services:",
        cure="write services: in its first column, and what belongs to it below, with spaces in front",
    ),
    Failure(
        name="compose-network-foreign",
        mark=("incorrect label", "but was not created", "but was created"),
        pattern=r"(?P<kind>network|volume) (?:with name )?\"?(?P<name>[\w.-]{1,255})\"? (?:was found but has incorrect label"
        r"|(?:already )?exists but was (?:not )?created (?:by (?:docker )?compose|for project))",
        cause='{kind} "{name}" exists, and was not made by this compose project: by hand, by another project, or by an older compose',
        cure="docker {kind} rm {name} if nobody needs it (a volume holds data), or declare it with external: true",
        source="docker/compose#10797",
    ),
    Failure(
        name="compose-external",
        mark="external",
        pattern=r"(?P<kind>network|volume) \"?(?P<name>[\w.-]{1,255})\"? declared as external, but could not be found"
        r"|external (?P<kind_of>network|volume) \"(?P<name_of>[\w.-]{1,255})\" not found",
        cause="the compose file expects that {kind} {name} exists, and it does not",
        cure="create it with docker {kind} create {name}, or correct its name in the file",
        source="openhab/openhab-cloud#296",
    ),
    Failure(
        name="compose-unhealthy",
        mark=("dependency failed to start", 'container "'),
        pattern=r"dependency failed to start: container (?P<name>\S{1,255}) is unhealthy"
        r"|\bfor \S{1,99} {1,2}Container \"(?P<name_old>[0-9a-f]{6,64})\" is unhealthy",
        cause="compose waits until container {name} is healthy, and its health check fails",
        cure="read what the check printed: docker inspect --format '{{json .State.Health.Log}}' {name}",
        confirmed_by="container.unhealthy",
    ),
    Failure(
        name="compose-dependency-ended",
        mark="dependency failed to start",
        pattern=r"dependency failed to start: container (?P<name>\S{1,255}) exited \((?P<code>\d+)\)",
        cause="another service waits for container {name}, which exited with code {code}",
        cure="read what it printed last with docker logs --tail 20 {name}",
        confirmed_by="container.exits-at-start",
    ),
    Failure(
        name="compose-orphans",
        mark="orphan containers",
        pattern=r"Found orphan containers \(\[(?P<names>[^\]]{1,300})\]\)",
        cause="containers of this project have no service in the compose file any more ({names}): "
        "a service was renamed or removed, or another folder has the same project name",
        cure="give each project a name of its own with -p where two folders share one; "
        "docker compose up -d --remove-orphans removes them all, also those of the other folder",
        source="docker/compose#3490",
    ),
    Failure(
        name="compose-dependency-undeclared-old",
        mark="which is undefined",
        pattern=r"[Ss]ervice '(?P<service>[\w.-]{1,99})' depends on service '(?P<name>[\w.-]{1,99})' which is undefined",
        cause='service "{service}" waits for service {name}, which the compose file does not have',
        cure="correct the name below depends_on, or name the file that has {name} with a second -f",
        source="docker-compose's own message",
    ),
    Failure(
        name="compose-image-removed",
        mark="trying to recreate has been removed",
        pattern=r"image for the service you're trying to recreate has been removed",
        cause="the image of the container that is to be replaced was removed from this host, so that compose cannot see "
        "which anonymous volumes it had",
        cure="data in named volumes and folders of the host stays: answer y. Data in anonymous volumes is left behind: "
        "docker volume ls -f dangling=true lists them; name a volume in the file before you go on",
        source="docker-compose's own message",
    ),
)
"""The first row that fits counts."""
