"""Projects, services and options that docker compose and docker stack refuse, in plain words."""

from diagnose.programs.failures.recognition import Failure

PROJECTS = (
    Failure(
        name="compose-no-service",
        mark="no service selected",
        pattern=r"no service selected",
        cause="each service of the file belongs to a profile that is off, or the file has no services",
        cure="docker compose --profile NAME up; docker compose config --profiles lists them",
    ),
    Failure(
        name="compose-service-unknown",
        mark="no such service",
        pattern=r"no such service: (?P<service>[\w.-]{1,99})",
        cause='the compose file of this project has no service "{service}", or a profile that is off hides it',
        cure="docker compose config --services lists the names; -f and --profile choose what is read",
    ),
    Failure(
        name="compose-nothing-to-start",
        mark="has no container to start",
        pattern=r"service \"(?P<service>[\w.-]{1,99})\" has no container to start",
        cause='service "{service}" has no container yet: start works with what up or create has made',
        cure="docker compose up -d {service}",
    ),
    Failure(
        name="compose-health-unexpected",
        mark="unexpected health status",
        pattern=r"container (?P<name>[\w.-]{1,255}) had unexpected health status \"?(?P<state>\w{0,20})",
        cause="compose waited for {name} to be healthy, and it is {state}",
        cure="docker inspect -f '{{json .State.Health.Log}}' {name} shows what the health check printed",
        confirmed_by="container.unhealthy",
    ),
    Failure(
        name="compose-profile-off",
        mark="but is disabled",
        pattern=r"service \"?(?P<service>[\w.-]{1,99})\"? is required by \"?(?P<user>[\w.-]{1,99})\"? but is disabled\. Can be enabled by profiles? \[?(?P<profiles>[^\]\n]{0,200})",
        cause='service "{user}" depends on "{service}", whose profile is off',
        cure="docker compose --profile NAME up -d with one of: {profiles}",
    ),
    Failure(
        name="compose-of-python",
        mark="e",
        pattern=r"'ContainerConfig'|unexpected keyword argument 'chunked'|HTTPConnection\.request\(\) got an unexpected",
        cause="this is the old docker-compose (version 1, in Python), which does not understand today's engine or its own "
        "libraries any more",
        cure="install the package docker-compose-plugin, and type docker compose with a space; where a container is half made: "
        "docker compose up -d --force-recreate",
        source="docker/compose#11742",
    ),
    Failure(
        name="compose-provider",
        mark="provider",
        pattern=r"'(?P<type>[\w.-]{1,60})' is not a valid provider type|(?P<type_missing>[\w.-]{1,60}) provider (?:type )?not found",
        cause='a service of the file has provider: with type "{type}", for which there is no plugin or program',
        cure="correct the type: it is the name of a docker plugin or of a program in PATH",
    ),
    Failure(
        name="compose-cycle",
        mark="cycle",
        pattern=r"(?:dependency )?cycle (?:found|detected)[^:\n]{0,40}: (?P<cycle>[^\n]{1,300})|service (?P<cycle_service>\"[\w.-]{1,100}\") has a dependency cycle",
        cause="services wait for each other in a circle: {cycle}",
        cure="remove one depends_on, link or network_mode: service of the circle",
    ),
    Failure(
        name="compose-hook-failed",
        mark="hook exited with status",
        pattern=r"(?P<hook>post_start|pre_stop|pre_start|\w{1,30}) hook exited with status (?P<code>\d{1,3})(?:: (?P<said>[^\n]{1,300}))?",
        cause="the command under {hook} of the service ended with code {code}: {said}",
        cure="docker compose exec SERVICE COMMAND tries it by hand; 127 means that its program is not in the image",
    ),
    Failure(
        name="compose-watch-running",
        mark="exclusive lock for project",
        pattern=r"cannot take exclusive lock for project \"(?P<project>[\w.-]{1,99})\": process with PID (?P<pid>\d{1,9}) is still running",
        cause='another docker compose watch of project "{project}" runs already, as process {pid}',
        cure="end it in its own terminal, or with kill {pid} after a look at ps -fp {pid}",
    ),
    Failure(
        name="compose-watch-undeclared",
        mark="watch",
        pattern=r"none of the selected services is configured for watch|watch is not yet configured",
        cause="no service of the file has a section develop with watch, so that there is nothing to watch",
        cure="add develop: watch: to the service, or use docker compose up without --watch",
    ),
    Failure(
        name="compose-watch-without-build",
        mark="build section",
        pattern=r"service (?P<service>[\w.-]{1,99}) doesn't have a build section, can't apply (?P<action>[\w+-]{1,30}) on watch",
        cause="watch should do {action} for service {service}, which comes from an image and is not built here",
        cure="give it a build section, or take the action sync or restart",
    ),
    Failure(
        name="compose-platform",
        mark="build.platforms",
        pattern=r"service \"(?P<service>[\w.-]{1,99})\" build\.platforms does not support value set by "
        r"(?P<from>DOCKER_DEFAULT_PLATFORM|platform): (?P<platform>[\w/.-]{1,60})",
        cause='service "{service}" is to be built for {platform} ({from}), which its list build.platforms does not have',
        cure="add {platform} to build.platforms, or unset DOCKER_DEFAULT_PLATFORM",
    ),
    Failure(
        name="compose-remote-off",
        mark="remote resource is disabled",
        pattern=r"(?P<kind>OCI|git) remote resource is disabled by \"(?P<variable>\w{1,99})\"",
        cause="the compose file includes a part from another place ({kind}), and the variable {variable} turns that off",
        cure="unset {variable}, or set it to true",
    ),
    Failure(
        name="compose-unsupported-key",
        mark="does not support",
        pattern=r"Docker Compose does not support (?P<key>[\w.*-]{1,99})",
        cause="{key} of the file works with swarm (docker stack deploy) only",
        cure="remove it from the file for compose",
    ),
    Failure(
        name="compose-address-invalid",
        mark="link-local ip",
        pattern=r"invalid link-local IP:? (?P<value>[^\n]{1,200})",
        cause="an entry under link_local_ips is not an IP address: {value}",
        cure="correct it; such addresses begin with 169.254.",
    ),
    Failure(
        name="stack-not-removed",
        mark="failed to remove some resources",
        pattern=r"failed to remove some resources from stack: (?P<stack>[\w.-]{1,99})",
        cause="parts of stack {stack} are still in use: most often its network, while the last tasks end",
        cure="repeat docker stack rm {stack} after some seconds; docker stack ps {stack} shows what is left",
    ),
    Failure(
        name="list-lacks-manifest",
        mark="manifest for image",
        pattern=r"manifest for image (?P<image>\S{1,300}) does not exist in (?P<list>\S{1,300})",
        cause="the manifest list {list} has no entry for {image} yet",
        cure="docker manifest create --amend LIST IMAGE adds it, before annotate",
    ),
)
"""The first row that fits counts."""
