"""Commands that docker, compose or the engine refuses, each with the words of a real one."""

from __future__ import annotations

import time

import pytest

from diagnose import registry
from diagnose.programs.failures import REFUSED_COMMANDS, recognise
from tests.programs.engine_words import ENGINE_WORDS, OTHER_WORDS
from tests.programs.refused_lines import MORE_LINES

_DAEMON = "Error response from daemon: "
_ID = "13823e501c73956e24a1e089f6c4cb36a796a6015304b0608d5af2e5887e6972"
LINES = (
    {
        "name-taken": f'docker: {_DAEMON}Conflict. The container name "/web" is already in use by container "{_ID}". '
        "You have to remove (or rename) that container to be able to reuse that name.",
        "bind-source": f'docker: {_DAEMON}invalid mount config for type "bind": bind source path does not exist: '
        "/srv/missing",
        "bind-path-relative": f'docker: {_DAEMON}create data/x: "data/x" includes invalid characters for a local '
        'volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, '
        "use absolute path",
        "runtime": f"docker: {_DAEMON}unknown or invalid runtime name: nvidia",
        "image-name": "docker: invalid reference format: repository name (library/My App) must be lowercase",
        "no-terminal": "the input device is not a TTY",
        "context-missing": "docker: 'docker build' requires 1 argument",
        "context-folder-missing": 'unable to prepare context: path "/srv/p/nodir" not found',
        "context-file-missing": "COPY failed: file not found in build context or excluded by .dockerignore: "
        "stat nofile: file does not exist",
        "port-malformed": "docker: Invalid hostPort: 99999",
        "options-conflict": "docker: conflicting options: cannot specify both --restart and --rm",
        "mount-path-relative": f"docker: {_DAEMON}invalid volume specification: 'rel:noabs': invalid mount config for "
        "type \"volume\": invalid mount path: 'noabs' mount path must be absolute",
        "memory-too-small": f"docker: {_DAEMON}Minimum memory limit allowed is 6MB",
        "more-cpus-than-here": f"docker: {_DAEMON}range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
        "no-command": f"{_DAEMON}no command specified",
        "fixed-address": "user specified IP address is supported only when connecting to networks with user "
        "configured subnets",
        "volume-in-use": f"{_DAEMON}remove data: volume is in use - [{_ID}]",
        "image-in-use": f'{_DAEMON}conflict: unable to remove repository reference "bb:1.36" (must force) - container '
        "13823e501c73 is using its referenced image e95be8455128",
        "image-has-children": f"{_DAEMON}conflict: unable to delete 6a66a3caff89 (cannot be forced) - image has "
        "dependent child images",
        "network-in-use": f"{_DAEMON}error while removing network: network shop has active endpoints "
        '(name:"bbb" id:"48a3e5fbc097")',
        "running": f'{_DAEMON}cannot remove container "web": container is running: stop the container before removing '
        "or force remove",
        "subnet-taken": f"{_DAEMON}invalid pool request: Pool overlaps with other one on this address space",
        "client-newer": f"{_DAEMON}client version 1.99 is too new. Maximum supported API version is 1.51",
        "old-python-client": "docker.errors.DockerException: Error while fetching server API version: Not supported "
        "URL scheme http+docker",
        "not-a-manager": f'{_DAEMON}This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to '
        "connect this node to swarm and try again.",
        "no-such-container": f"{_DAEMON}No such container: nosuch",
        "no-such-image": "An image does not exist locally with the tag: nosuch",
        "container-restarting": f"{_DAEMON}Container {_ID} is restarting, wait until the container is running",
        "container-stopped": f"{_DAEMON}container {_ID} is not running",
        "compose-unavailable": "docker: 'compose' is not a docker command.",
        "compose-taken-as-options": "unknown shorthand flag: 'd' in -d",
        "compose-file-missing": "no configuration file provided: not found",
        "compose-variable-blank": 'time="2026-11-28T23:52:34Z" level=warning msg="The \\"DB_PASS\\" variable is not set. '
        'Defaulting to a blank string."',
        "compose-variable-required": "error while interpolating services.web.environment.A: required variable DB_PASS "
        "is missing a value: set it",
        "compose-yaml": "yaml: line 4: mapping values are not allowed in this context",
        "compose-version": 'ERROR: Version in "./docker-compose.yml" is unsupported. You might be seeing this error '
        "because you're using the wrong Compose file version.",
        "compose-key": "validating /srv/p/compose.yaml: services.web additional properties 'imge' not allowed",
        "compose-undeclared": 'service "web" refers to undefined volume data: invalid compose project',
        "compose-dependency-undeclared": 'service "web" depends on undefined service "db": invalid compose project',
        "compose-without-image": 'service "web" has neither an image nor a build context specified: invalid compose '
        "project",
        "compose-env-file": "env file /srv/p/nofile not found: stat /srv/p/nofile: no such file or directory",
        "compose-service-stopped": 'service "web" is not running',
        "compose-job-failed": 'service "mig" didn\'t complete successfully: exit 1',
        "compose-external": "network ext declared as external, but could not be found",
        "compose-unhealthy": "dependency failed to start: container p-db-1 is unhealthy",
        "compose-dependency-ended": "dependency failed to start: container p-db-1 exited (1)",
        "compose-orphans": 'time="2026-11-28T23:52:34Z" level=warning msg="Found orphan containers ([p-mig-1 p-db-1]) for '
        "this project. If you removed or renamed this service in your compose file, you can run this command with "
        'the --remove-orphans flag to clean it up."',
        "credential-helper": 'error getting credentials - err: exec: "docker-credential-desktop": executable file not '
        "found in $PATH, out: ``",
        "tls-socket-called-plainly": f"{_DAEMON}Client sent an HTTP request to an HTTPS server.",
        "network-of-the-engine": f"{_DAEMON}bridge is a pre-defined network and cannot be removed",
        "object-not-there": "Error: No such object: web",
        "client-config-broken": "WARNING: Error loading config file: /root/.docker/config.json: unexpected end of JSON "
        "input",
        "client-config-forbidden": "WARNING: Error loading config file: open /home/u/.docker/config.json: permission denied",
        "push-denied": "denied: requested access to the resource is denied",
        "registry-login-refused": f'{_DAEMON}Get "https://reg.example/v2/": unauthorized: incorrect username or password',
        "registry-login-missing": f"{_DAEMON}unauthorized: authentication required",
        "registry-name-unresolved": f'{_DAEMON}Get "https://registry.example/v2/": dial tcp: lookup registry.example on '
        "192.0.2.53:53: server misbehaving",
        "layer-without-room": "failed to register layer: write /usr/lib/libx.so: no space left on device",
        "exec-program-missing": "OCI runtime exec failed: exec failed: unable to start container process: exec: "
        '"bash": executable file not found in $PATH',
        "link-to-stopped": f"{_DAEMON}Cannot link to a non running container: /db AS /web/db",
        "compose-type": "services.web.ports must be a list",
        "killed": "web-1 exited with code 137",
        "segmentation-fault": "web-1 exited with code 139",
        "command-not-found": "web-1 exited with code 127",
        "engine-not-reached": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
        "running?",
        "engine-host-unknown": "error during connect: Get http://docker:2375/v1.40/info: dial tcp: lookup docker on "
        "192.0.2.53:53: no such host",
        "visit-refused": "curl: (7) Failed to connect to localhost port 8080 after 0 ms: Could not connect to server",
        "visit-unanswered": "curl: (52) Empty reply from server",
        "visit-timed-out": "curl: (28) Connection timed out after 5001 milliseconds",
        "visit-of-plain-port": "curl: (35) error:0A00010B:SSL routines::wrong version number",
        "gateway-failed": "<html><head><title>502 Bad Gateway</title></head>",
        "compose-no-service": "no service selected",
        "compose-service-unknown": "no such service: bd",
        "compose-nothing-to-start": 'service "db" has no container to start',
        "compose-health-unexpected": 'container shop-db-1 had unexpected health status "starting"',
        "compose-profile-off": "service db is required by web but is disabled. Can be enabled by profiles [data]",
        "compose-of-python": "ERROR: for web  'ContainerConfig'",
        "compose-provider": "'compose' is not a valid provider type",
        "compose-cycle": "dependency cycle detected: web -> api -> web",
        "compose-hook-failed": 'service "web": post_start hook exited with status 127: sh: migrate: not found',
        "compose-watch-running": 'cannot take exclusive lock for project "shop": process with PID 4242 is still running',
        "compose-watch-undeclared": "none of the selected services is configured for watch, see https://docs.docker.com/compose/how-tos/file-watch/",
        "compose-watch-without-build": "service web doesn't have a build section, can't apply rebuild on watch",
        "compose-platform": 'service "web" build.platforms does not support value set by DOCKER_DEFAULT_PLATFORM: linux/arm64',
        "compose-remote-off": 'OCI remote resource is disabled by "COMPOSE_EXPERIMENTAL_OCI_REMOTE"',
        "compose-unsupported-key": "Docker Compose does not support configs.*.template_driver",
        "compose-address-invalid": 'invalid link-local IP: ParseAddr("169.254.x"): unexpected character',
        "stack-not-removed": "failed to remove some resources from stack: shop",
        "list-lacks-manifest": "manifest for image docker.io/acme/shop:1-arm64 does not exist in docker.io/acme/shop:1",
        "marked-for-removal": "Error response from daemon: container is marked for removal and cannot be started",
        "removal-under-way": "Error response from daemon: removal of container web is already in progress",
        "remove-busy": 'Error response from daemon: container 6fd31b2b58b3: driver "overlay2" failed to remove root filesystem: unlinkat /var/lib/docker/overlay2/89f505ce6298/merged: device or resource busy',
        "process-already-ended": "OCI runtime exec failed: cannot start a stopped process: unknown",
        "init-ended-before-start": "Error response from daemon: failed to start task: OCI runtime start failed: cannot start a container that has stopped: unknown",
        "attach-to-stopped": "cannot attach to a stopped container, start it first",
        "paused": "Error response from daemon: Container 4f2d0c is paused, unpause the container before exec",
        "network-of-stopped": "Error response from daemon: joining network namespace of container: cannot join network namespace of a non running container: container vpn is exited",
        "no-exit-event": "Error response from daemon: cannot stop container: web: tried to kill container, but did not receive an exit event",
        "copy-into-read-only": "Error response from daemon: container rootfs is marked read-only",
        "copy-source-missing": "Error response from daemon: Could not find the file /etc/app.conf in container web",
        "checkpoint-unsupported": "Error response from daemon: Cannot checkpoint container web: this runc binary has not been compiled with checkpoint/restore support enabled (runc_nocriu)",
        "log-driver-unreadable": "Error response from daemon: configured logging driver does not support reading",
        "filter-unknown": "Error response from daemon: invalid filter 'exited=abc'",
        "shm-of-host-missing": "docker: Error response from daemon: /dev/shm is not mounted, but must be for --ipc=host",
        "login-without-terminal": "Error: Cannot perform an interactive login from a non TTY device",
        "credential-store-locked": "Error saving credentials: error storing credentials - err: exit status 1, out: `Cannot autolaunch D-Bus without X11 $DISPLAY`",
        "restart-with-rm": "Error response from daemon: can't create 'AutoRemove' container with restart policy",
        "options-exclude-with": "--parallel cannot be used with --no-parallel",
        "options-exclude": "--service-ports and --publish are incompatible",
        "arguments-number": '"docker exec" requires at least 2 arguments.',
        "option-unknown": "unknown flag: --gpu",
        "command-unknown": "docker: 'buildx' is not a docker command.",
        "reserved-name": "Error response from daemon: 'scratch' is a reserved name",
        "digest-as-name": "Error response from daemon: cannot import digest reference",
        "nothing-on-stdin": "error reading from STDIN: data is empty",
        "mount-option-needs": "invalid argument \"type=bind,src=/a,dst=/b,bind-recursive=readonly\" for \"--mount\" flag: option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
        "sysctl-of-an-option": 'OCI runtime create failed: sysctl "kernel.hostname" is not allowed as it conflicts with the OCI "hostname" field: unknown',
        "sysctl-not-namespaced": 'invalid argument "kernel.pid_max=100" for "--sysctl" flag: sysctl \'kernel.pid_max=100\' is not allowed',
        "argument-refused": 'invalid argument "0.00000000001" for "--cpus" flag: value is too precise',
        "number-out-of-range": "Error response from daemon: must specify a positive integer for log opt 'awslogs-max-buffered-events': foo",
        "other-system": "unable to configure the Docker daemon with file /etc/docker/daemon.json: option 'exec-opts=isolation' is only supported on windows",
        "isolation": 'Error response from daemon: unsupported isolation: "hyperv"',
        "engine-older-than-option": '"--ulimit" requires API version 1.99, but the Docker daemon API version is 1.41',
        "experimental": '"docker checkpoint" is only supported on a Docker daemon with experimental features enabled',
        "ipvlan-option": "Error response from daemon: requested ipvlan flag 'l2bridge' is not valid, 'bridge' is the ipvlan driver default",
        "address-outside-subnet": "Error response from daemon: invalid network config: invalid gateway 10.5.0.1: parent subnet 10.0.0.0/24 doesn't contain this address",
        "subnet-malformed": "invalid subnet: netip.ParsePrefix(\"10.0.0.0\"): no '/'",
        "value-unknown": 'failed to configure daemon logging: invalid logging level: "verbose"',
        "env-file-malformed": "docker: invalid env file (app.env): variable 'FOO BAR' contains whitespaces",
        "set-malformed": "Error response from daemon: Invalid value abc for cpuset cpus",
        "pair-malformed": 'docker: bad format for add-host: "db"',
    }
    | MORE_LINES
    | ENGINE_WORDS
)
"""Of engines 20.10 and 28.5 and compose 2; what only older clients say is of public threads."""


def test_each_row_has_a_line() -> None:
    assert {failure.name for failure in REFUSED_COMMANDS} == LINES.keys()


@pytest.mark.parametrize("name", LINES)
def test_a_line_is_recognised_as_its_row(name: str) -> None:
    found = recognise([LINES[name]], None, REFUSED_COMMANDS)
    assert found is not None
    assert found.failure.name == name
    assert "{" not in found.cause + found.cure.replace("{{", "")


def test_a_row_leads_to_a_check() -> None:
    pages = {failure.confirmed_by for failure in REFUSED_COMMANDS} - {""}
    assert pages <= registry.load().keys()


OTHERS = {
    "Couldn't find env file: /srv/.env": "compose-env-file",
    'ERROR: for web  Container "3f2a9c1b7d0e" is unhealthy.': "compose-unhealthy",
    f"Error response from daemon: You cannot remove a running container {_ID}. Stop it": "running",
    "network testnetv6 has 1 active endpoint (goofy_swartz)": "network-in-use",
    "WARNING: The DB_PASS variable is not set. Defaulting to a blank string.": "compose-variable-blank",
    "docker: Error response from daemon: Unknown runtime specified nvidia.": "runtime",
    "yaml: line 3: found character that cannot start any token": "compose-yaml",
    "COPY failed: forbidden path outside the build context: ../x ()": "context-file-missing",
} | OTHER_WORDS


@pytest.mark.parametrize("line", OTHERS)
def test_other_words_of_the_same(line: str) -> None:
    found = recognise([line], None, REFUSED_COMMANDS)
    assert found is not None
    assert found.failure.name == OTHERS[line]


SERVERS_LINES = (
    "LOG:  database system is ready to accept connections",
    "2026/11/28 23:35:58 [emerg] 1#1: bind() to 0.0.0.0:80 failed (13: Permission denied)",
    "driver failed programming external connectivity on endpoint p2: port is already allocated",
)


@pytest.mark.parametrize("line", SERVERS_LINES)
def test_what_leaves_a_trace_on_the_host_is_no_refused_command(line: str) -> None:
    assert recognise([line], None, REFUSED_COMMANDS) is None


def test_a_long_name_takes_no_time() -> None:
    """A name with many dots was tried anew at each of them: 19 s for 3 KB."""
    began = time.process_time()
    recognise(["lookup " + "a." * 1500], None, REFUSED_COMMANDS)
    assert time.process_time() - began < 4
