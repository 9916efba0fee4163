"""Errors of docker about a command that it or the engine refuses, with their meaning in plain
words.

They leave nothing on the host: no container, no line of a log. Only the user who typed the command
has the message.
"""

from diagnose.programs.failures.commands.listed_ends import LISTED_ENDS
from diagnose.programs.failures.commands.other_clients import OTHER_CLIENTS
from diagnose.programs.failures.commands.refused_calls import RESOLVER_ANSWERS
from diagnose.programs.failures.commands.refused_compose import COMPOSE
from diagnose.programs.failures.commands.refused_connections import REFUSED_CONNECTIONS
from diagnose.programs.failures.commands.refused_containers import REFUSED_CONTAINERS
from diagnose.programs.failures.commands.refused_images import REFUSED_IMAGES
from diagnose.programs.failures.commands.refused_isolation import REFUSED_ISOLATION
from diagnose.programs.failures.commands.refused_limits import REFUSED_LIMITS
from diagnose.programs.failures.commands.refused_log_options import REFUSED_LOG_OPTIONS
from diagnose.programs.failures.commands.refused_networks import REFUSED_NETWORKS
from diagnose.programs.failures.commands.refused_options import REFUSED_OPTIONS
from diagnose.programs.failures.commands.refused_packages import REFUSED_PACKAGES
from diagnose.programs.failures.commands.refused_projects import PROJECTS
from diagnose.programs.failures.commands.refused_pulls import REFUSED_PULLS
from diagnose.programs.failures.commands.refused_secrets import REFUSED_SECRETS
from diagnose.programs.failures.commands.refused_starts import REFUSED_STARTS
from diagnose.programs.failures.commands.refused_states import REFUSED_STATES
from diagnose.programs.failures.commands.refused_tasks import REFUSED_TASKS
from diagnose.programs.failures.commands.refused_visits import REFUSED_VISITS
from diagnose.programs.failures.commands.refused_volumes import REFUSED_VOLUMES
from diagnose.programs.failures.recognition import Failure

_CREATE = (
    Failure(
        name="tls-socket-called-plainly",
        mark="client sent an http request to an https server",
        pattern=r"response from daemon: Client sent an HTTP request to an HTTPS server",
        cause="the engine's socket wants TLS, and the client speaks plain HTTP to it",
        cure="export DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH with the folder of ca.pem, cert.pem and key.pem; or use the local "
        "socket: unset DOCKER_HOST",
        source="Go's own message",
        confirmed_by="daemon.tls-client-refused",
    ),
    Failure(
        name="network-of-the-engine",
        mark="is a pre-defined network",
        pattern=r"(?P<network>bridge|host|none) is a pre-defined network",
        cause="network {network} is one of the engine's own three (bridge, host, none), which can be neither removed nor made",
        cure="docker network create NAME makes one with DNS for its containers; where {network} has the wrong addresses, "
        "bip in daemon.json sets those of bridge",
        source="moby/moby's own message",
    ),
    Failure(
        name="object-not-there",
        mark="no such object",
        pattern=r"Error(?: response from daemon)?: No such object: (?P<name>[\w][\w./:@-]{0,200})",
        cause="this engine has no container, image, network or volume with the name {name}: it was removed, is misspelt, or "
        "belongs to another engine",
        cure="docker ps --all and docker images show what there is; docker context ls shows which engine answers",
        source="docker/cli's own message",
    ),
    Failure(
        name="name-taken",
        mark="is already in use by container",
        pattern=r"container name \"/?(?P<name>[\w.-]+)\" is already in use by container",
        cause='a container "{name}" exists already; a stopped one keeps its name',
        cure="start it with docker start {name}, or remove it with docker rm {name} and repeat the command",
        source="moby/moby#25932",
    ),
    Failure(
        name="bind-source-file",
        mark="bind source path does not exist",
        pattern=r"bind source path does not exist: (?P<path>/\S{0,300}/[^\s/]{1,100}\.(?:conf|cfg|cnf|ya?ml|json|toml|ini|env|xml|sh|sql|pem|crt|key"
        r"|properties|php|py|js|txt|html|rules))",
        cause="the file {path}, which was to be mounted, does not exist on the host of the engine",
        cure="correct the path, or put the file there before the container starts (ls -l {path}); mkdir would make a folder of that name",
        confirmed_by="container.mount-source-missing",
    ),
    Failure(
        name="bind-source",
        mark="bind source path does not exist",
        pattern=r"bind source path does not exist: (?P<path>/[^\s\"]{1,300})",
        cause="{path}, which was to be mounted, does not exist on the host of the engine",
        cure="correct the path, or create it with mkdir -p {path}",
        confirmed_by="container.mount-source-missing",
    ),
    Failure(
        name="bind-path-relative",
        mark="includes invalid characters for a local volume name",
        pattern=r"(?P<path>[^\s\"]{1,300})\"? includes invalid characters for a local volume name",
        cause="{path} was taken as the name of a volume, because it is not an absolute path",
        cure='give the absolute path, such as "$PWD"/{path}',
    ),
    Failure(
        name="runtime",
        mark="runtime",
        pattern=r"unknown (?:or invalid )?runtime (?:name|specified):? (?P<runtime>[\w./-]{1,99})",
        cause='the engine knows no runtime "{runtime}": daemon.json does not list it',
        cure="install the runtime, enter it under runtimes in daemon.json "
        "(nvidia: nvidia-ctk runtime configure --runtime=docker), and restart the engine",
        confirmed_by="daemon.runtime-missing",
    ),
    Failure(
        name="image-name",
        mark="invalid reference format",
        pattern=r"invalid reference format",
        cause="the word where the image name belongs is not a valid name: it has a capital letter, a "
        "space or another character, or a variable in it is empty",
        cure="write name:tag in small letters, quote each path that has a space, "
        "and print each variable of the command with echo",
        source="moby/moby#36080",
    ),
    Failure(
        name="no-terminal",
        mark="not a tty",
        pattern=r"the input device is not a TTY",
        cause="the option -t asks for a terminal, and the command runs without one (cron, CI, a pipe)",
        cure="leave out -t: docker exec -i, docker run -i, docker compose exec -T",
        source="moby/moby#8755",
    ),
    Failure(
        name="context-missing",
        mark="requires",
        pattern=r"docker (?:buildx build|build|image build)['\"]? requires (?:exactly )?1 argument",
        cause="the command names no build context, or a space splits one of its values",
        cure="end the command with the folder of the context, such as a dot",
    ),
    Failure(
        name="context-folder-missing",
        mark="unable to prepare context",
        pattern=r"unable to prepare context: path \"?(?P<path>[^\s\"]{1,300})\"? not found",
        cause="the build needs {path}, and there is no such path",
        cure="correct the folder of the context (compose: build), as seen from where the command is typed",
    ),
    Failure(
        name="context-file-missing",
        mark=" failed: ",
        pattern=r"(?:COPY|ADD) failed: (?:file not found in build context or excluded by \.dockerignore: "
        r"stat |stat /\S*?/docker-builder\d+/|forbidden path outside the build context: )"
        r"(?P<path>[^\s:]{1,300})",
        cause="{path} is not in the build context, or .dockerignore leaves it out",
        cure="give the path as seen from the folder of the context, and do not begin it with ../",
        source="docker/cli#2213",
        confirmed_by="image.build-failed",
    ),
    Failure(
        name="port-malformed",
        mark="invalid ",
        pattern=r"invalid ip address (?P<port_address>\S{1,99}): address \S{1,99}: too many colons in address|invalid (?:hostPort|containerPort|port format)\S*:? (?P<port>\S{1,99})"
        r"|invalid publish opts format \(should be name=value but got '(?P<port_long>[^'\n]{1,99})",
        cause="{port} is not a port as docker reads it: one number from 1 to 65535 on each side of the colon",
        cure="write HOST:CONTAINER, such as 8080:80, in quotes in a compose file",
    ),
    Failure(
        name="options-conflict",
        mark="conflicting options",
        pattern=r"conflicting options: (?P<options>[^\n]{1,200})",
        cause="two options of the command exclude each other: {options}",
        cure="leave out one of them",
    ),
    Failure(
        name="mount-path-relative",
        mark="mount path must be absolute",
        pattern=r"invalid mount path: '(?P<path>[^']{1,300})' mount path must be absolute",
        cause="{path}, where a volume was to appear in the container, is not an absolute path",
        cure="write the absolute path in the container, beginning with a slash",
    ),
    Failure(
        name="memory-too-small",
        mark="minimum memory limit",
        pattern=r"Minimum memory limit allowed is (?P<least>\w+)",
        cause="the memory limit is below {least}; without a unit, a number counts as bytes",
        cure="write the unit: --memory=512m (compose: mem_limit: 512m)",
    ),
    Failure(
        name="more-cpus-than-here",
        mark="range of cpus is from",
        pattern=r"range of CPUs is from [\d.]+ to (?P<most>[\d.]+)",
        cause="the container asks for more CPUs than the host has ({most})",
        cure="ask for at most {most} with --cpus (compose: cpus, deploy.resources.limits.cpus)",
    ),
    Failure(
        name="no-command",
        mark="no command specified",
        pattern=r"no command specified",
        cause="the image has no command of its own, and none was given; "
        "docker import and docker export lose an image's command",
        cure="give a command behind the image name (compose: command), or build the image with CMD",
    ),
    Failure(
        name="reservation-above-limit",
        mark="memory reservation limit",
        pattern=r"Minimum memory limit can not be less than memory reservation limit",
        cause="the container's memory limit is below the memory that is reserved for it",
        cure="raise the limit (--memory, compose: mem_limit), or lower the reservation (--memory-reservation)",
    ),
    Failure(
        name="address-on-default-network",
        mark="on user defined networks only",
        pattern=r"user specified IP address is supported on user defined networks only",
        cause="a container was to have an address of its own on the default bridge, which does not give any",
        cure="docker network create --subnet 10.77.0.0/24 NAME, and docker run --network NAME --ip ADDRESS",
    ),
    Failure(
        name="overlay-not-attachable",
        mark="not manually attachable",
        pattern=r"network (?P<network>[\w.-]{1,255}) not manually attachable",
        cause='network "{network}" is for services of the swarm alone: it was made without --attachable',
        cure="make it again with docker network create -d overlay --attachable {network} (compose: attachable: true), "
        "or run the container as a service",
        source="moby/moby#31371",
    ),
    Failure(
        name="fixed-address-taken",
        mark="address already in use",
        pattern=r"(?:response from daemon: |set up container networking: |starting container failed: )Address already in use$",
        cause="the container's fixed address (--ip, compose: ipv4_address) belongs to another container of that network, "
        "or is the gateway's",
        cure="docker network inspect NETWORK --format '{{json .Containers}}' lists who has which; choose a free one, "
        "outside the part from which the engine gives addresses (ip_range)",
        source="moby/moby#42119",
    ),
    Failure(
        name="fixed-address",
        mark="configured subnet",
        pattern=r"user[- ](?:specified|configured) (?:IP|ip) address is supported only when connecting to "
        r"networks with user configured subnets",
        cause="a container was to have an address of its own on a network without a subnet of its own",
        cure="create the network with --subnet (compose: ipam), or leave out the address",
    ),
)

_REMOVE = (
    Failure(
        name="volume-in-use",
        mark="volume is in use",
        pattern=r"remove (?P<volume>[\w.-]{1,255}): volume is in use",
        cause='a container uses volume "{volume}"; a stopped one counts too',
        cure="list its containers with docker ps -a --filter volume={volume}, "
        "and remove those that nobody needs",
        source="docker/for-linux#521",
    ),
    Failure(
        name="image-in-use",
        mark="unable to",
        pattern=r"unable to (?:delete|remove repository reference) \"?(?P<image>[^\s\"]{1,300})\"? "
        r"\((?:must be forced|must force|cannot be forced)\) - (?:image is being used by|container)",
        cause="a container was made of image {image}; a stopped one counts too",
        cure="list its containers with docker ps -a --filter ancestor={image}, "
        "remove those that nobody needs, and then the image",
        source="moby/moby#22178",
    ),
    Failure(
        name="image-has-children",
        mark="dependent child images",
        pattern=r"unable to delete (?P<image>\S{1,99}) \(cannot be forced\) - image has dependent child",
        cause="other images are built on image {image}",
        cure="remove the images that are built on it first; docker image prune removes those without a name",
    ),
    Failure(
        name="network-in-use",
        mark="active endpoint",
        pattern=r"network (?P<network>\S{1,99}) (?:id \S+ )?has (?:\d+ )?active endpoint",
        cause='containers are attached to network "{network}"',
        cure="list them with docker ps -a --filter network={network}; "
        "stop them, or docker network disconnect -f {network} NAME",
        source="moby/moby#42119",
    ),
    Failure(
        name="running",
        mark="cannot remove ",
        pattern=r"cannot remove (?:container )?\"?/?(?P<name>[\w.-]{1,255})\"?: container is running"
        r"|cannot remove a running container (?P<name_old>[0-9a-f]{12})",
        cause='container "{name}" runs',
        cure="stop it first with docker stop {name}",
    ),
)

_ENGINE = (
    Failure(
        name="subnet-taken",
        mark="pool overlaps with other one",
        pattern=r"Pool overlaps with other one on this address space",
        cause="another network of this engine has this subnet, or a part of it",
        cure="take another subnet, or remove the other network: docker network ls -q | "
        "xargs docker network inspect --format '{{.Name}} {{range .IPAM.Config}}{{.Subnet}} {{end}}' "
        "lists the subnets in use",
        source="maxking/docker-mailman#85",
    ),
    Failure(
        name="client-newer",
        mark="is too new",
        pattern=r"client version (?P<client>[\d.]+) is too new\. Maximum supported API version is (?P<most>\d\.\d+)",
        cause="the client asks for version {client} of the API, and the engine speaks {most} at most",
        cure="set DOCKER_API_VERSION={most} for the client, or update the engine",
        confirmed_by="container.client-api-too-new",
    ),
    Failure(
        name="old-python-client",
        mark="http+docker",
        pattern=r"Not supported URL scheme http\+docker",
        cause="the Python package docker, which this program or docker-compose 1 uses, is too old for "
        "the package requests (2.32 or later) beside it: the engine was not asked",
        cure="use docker compose, which is not a Python program, or pip install 'docker>=7.1'",
        source="docker/docker-py#3256",
    ),
    Failure(
        name="unit-masked",
        mark=" is masked",
        pattern=r"\bdocker\.(?P<kind>service|socket) is masked",
        cause="systemd may not start docker.{kind}: it is masked, by hand or by the removal of a package",
        cure="systemctl unmask docker.service docker.socket && systemctl enable --now docker",
        confirmed_by="daemon.not-enabled",
    ),
    Failure(
        name="not-a-manager",
        mark="node is not ",
        pattern=r"node is not (?:a swarm manager|part(?:icipating in| of) a swarm)",
        cause="the engine is in no swarm, or it is a worker of one, which takes no such command",
        cure="type it on a manager, or make a swarm with docker swarm init",
    ),
    Failure(
        name="exec-program-missing",
        mark="oci runtime exec failed",
        pattern=r"OCI runtime exec failed: [^\n]{0,200}exec: \"(?P<program>[^\"\n]{1,200})\": (?:executable file not found"
        r"|stat [^\n]{1,200}: no such file)",
        cause='the container has no program "{program}": small images have no shell and no such tools',
        cure="take sh instead of bash; where there is no shell, enter the container's network "
        "from the host: nsenter -t $(docker inspect -f '{{.State.Pid}}' CONTAINER) -n sh",
    ),
    Failure(
        name="link-to-stopped",
        mark="cannot link to a non running container",
        pattern=r"cannot link to a non running container: /?(?P<name>[\w.-]{1,255})",
        cause='the container has a link to container "{name}", which is not running',
        cure="docker start {name} first; a network of their own makes links needless",
    ),
    Failure(
        name="no-such-container",
        mark="no such container",
        pattern=r"No such container: (?P<name>\S{1,255})",
        cause="the engine that was asked has no container {name}: it was removed, "
        "or the command asked another engine (docker context ls, DOCKER_HOST, rootless, sudo)",
        cure="list what there is with docker ps -a",
    ),
    Failure(
        name="no-such-image",
        mark=("image", "tag does not exist"),
        pattern=r"(?:No such image: |image does not exist locally with the tag: |tag does not exist: )(?P<image>[^\s\"]{1,299}[\w])",
        cause="the engine has no image of the name {image}",
        cure="list what there is with docker image ls; name an image for its registry with docker tag first",
    ),
    Failure(
        name="container-restarting",
        mark="is restarting, wait until",
        pattern=r"[Cc]ontainer (?P<name>\S{1,255}) is restarting, wait until the container is running",
        cause="container {name} fails again and again, and was not running at that moment",
        cure="read what it printed last with docker logs --tail 20 {name}",
        confirmed_by="container.restart-loop",
    ),
    Failure(
        name="container-stopped",
        mark="is not running",
        pattern=r"[Cc]ontainer (?P<name>\S{1,255}) is not running",
        cause="container {name} is stopped, and a command runs in a running one only",
        cure="start it with docker start {name}; if it stops at once, docker logs --tail 20 {name} says why",
    ),
)

REFUSED_COMMANDS = (
    *REFUSED_CONNECTIONS,
    *OTHER_CLIENTS,
    *REFUSED_TASKS,
    *REFUSED_STARTS,
    *REFUSED_PACKAGES,
    *COMPOSE,
    *PROJECTS,
    *REFUSED_SECRETS,
    *REFUSED_LIMITS,
    *REFUSED_ISOLATION,
    *REFUSED_VOLUMES,
    *REFUSED_NETWORKS,
    *REFUSED_STATES,
    *REFUSED_LOG_OPTIONS,
    *REFUSED_IMAGES,
    *_CREATE,
    *_REMOVE,
    *_ENGINE,
    *LISTED_ENDS,
    *REFUSED_CONTAINERS,
    *REFUSED_VISITS,
    *RESOLVER_ANSWERS,
    *REFUSED_PULLS,
    *REFUSED_OPTIONS,
)
"""The first row that fits counts."""
