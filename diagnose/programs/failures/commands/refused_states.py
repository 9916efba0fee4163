"""Commands about a container or a context that is in another state than they need."""

from diagnose.programs.failures.recognition import Failure

_STATES = (
    Failure(
        name="paused-needs-unpause",
        mark="paused",
        pattern=r"cannot (?P<verb>start|exec in|restart) a paused container|container is (?P<verb_rm>paused) and must be unpaused first"
        r"|cannot remove a paused container",
        cause="the container is paused: its processes stand still, and only unpause lets them go on",
        cure="docker ps --filter status=paused shows it; docker unpause CONTAINER, then the command again",
        confirmed_by="container.paused",
    ),
    Failure(
        name="group-of-running-gone",
        mark="to cgroups",
        pattern=r"adding pid \d{1,10} to cgroups: [^\n]{0,300}?(?P<group>/sys/fs/cgroup/[\w./:-]{1,200})/cgroup\.procs\"?: no such file",
        cause="the control group {group} of the running container is gone, so that no further process can enter it: something on the host removed "
        "or moved it",
        cure="docker restart CONTAINER makes the group again",
    ),
    Failure(
        name="stream-refused",
        mark="unable to upgrade to tcp",
        pattern=r"unable to upgrade to tcp, received (?P<code>\d{3})",
        cause="the engine did not open a stream for exec or attach (HTTP {code}): 409 is a container that does not run or is paused, "
        "404 one that is gone, another code comes from a proxy before the engine",
        cure="docker ps -a shows the container's state",
    ),
)

_NAMES = (
    Failure(
        name="id-begins-twice",
        mark=("provided prefix", "found based on id prefix"),
        pattern=r"multiple \w{1,20} found with provided prefix:? ?(?P<prefix>\w{0,64})|matches found based on ID prefix",
        cause="more than one id begins with {prefix}",
        cure="give more of its characters, or the name: docker ps -a --no-trunc shows both",
    ),
    Failure(
        name="port-not-published",
        mark=("no public port", "no port "),
        pattern=r"no public port '?(?P<port>\d{1,5}(?:/\w{1,4})?)'? published for (?P<name>[\w.-]{1,255})"
        r"|no port (?P<port_compose>\d{1,5}(?:/\w{1,4})?) for container (?P<name_compose>[\w.-]{1,255})",
        cause="container {name} does not publish its port {port}",
        cure="docker port {name} lists what it publishes; -p HOSTPORT:{port} (compose: ports) publishes it when the container is created",
    ),
    Failure(
        name="id-file-left",
        mark="container id file found",
        pattern=r"container ID file found, make sure the other container isn't running or delete (?P<file>[\w./@+-]{1,300})",
        cause="the file {file} of --cidfile is left from an earlier run, and docker does not write over it",
        cure="docker ps -a --no-trunc shows whether that container is still needed; rm {file}, or add it before the run (rm -f)",
    ),
    Failure(
        name="name-unchanged",
        mark="same name as its current name",
        pattern=r"Renaming a container with the same name as its current name",
        cause="the container has that name already",
        cure="nothing has to be done: docker ps -a shows the name",
    ),
)

_CONTEXTS = (
    Failure(
        name="context-unknown",
        mark="context ",
        pattern=r"context \"(?P<context>[^\"\n]{1,100})\"(?: does not exist|: context not found|: not found)",
        cause='the docker command has no context "{context}", which DOCKER_CONTEXT, --context or ~/.docker/config.json names',
        cure="docker context ls lists them; docker context use default takes the engine of this host",
    ),
    Failure(
        name="context-in-use",
        mark="is in use, set -f",
        pattern=r"context (?:\"(?P<context>[^\"\n]{1,100})\" )?is in use, set -f flag to force remove",
        cause="the docker command uses the context {context} at present",
        cure="docker context use default, then docker context rm {context}",
    ),
    Failure(
        name="engine-address-malformed",
        mark="unable to parse docker host",
        pattern=r"unable to parse docker host `(?P<value>[^`\n]{0,200})`",
        cause='"{value}" is not an address of an engine: what it begins with is missing (DOCKER_HOST, -H, or a context)',
        cure="write tcp://HOST:PORT, unix:///var/run/docker.sock or ssh://USER@HOST; unset DOCKER_HOST takes the engine of this host",
    ),
)

REFUSED_STATES = (*_STATES, *_NAMES, *_CONTEXTS)
"""The first row that fits counts."""
