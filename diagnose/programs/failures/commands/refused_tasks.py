"""Tasks of a swarm that find no place, and what swarm says of its own state."""

from diagnose.programs.failures.recognition import Failure

_NOWHERE = r"no suitable node \([^)\n]{0,300}?"
_SERVICE = "swarm.service-underreplicated"

REFUSED_TASKS = (
    Failure(
        name="node-not-available",
        mark="no suitable node",
        pattern=_NOWHERE + r"(?P<nodes>\d{1,4} nodes? not available for new tasks)",
        cause="the swarm has no node that takes tasks ({nodes}): it is drained, paused, or down",
        cure="docker node ls shows which; docker node update --availability active NODE lets it take tasks again",
        source="caprover/caprover#619",
        confirmed_by=_SERVICE,
    ),
    Failure(
        name="node-too-small",
        mark="no suitable node",
        pattern=_NOWHERE + r"insufficient (?:resources|memory|cpu)",
        cause="the service reserves more memory or processor time than any node has left",
        cure="docker service inspect --pretty SERVICE shows its reservations: lower them, those of other services, or add a node",
        source="moby/moby#36699",
        confirmed_by=_SERVICE,
    ),
    Failure(
        name="node-not-wanted",
        mark="no suitable node",
        pattern=_NOWHERE + r"scheduling constraints not satisfied",
        cause="no node fits the placement constraints of the service, such as a label or a role",
        cure="docker service inspect --pretty SERVICE shows them; docker node update --label-add KEY=VALUE NODE gives a node the label",
        confirmed_by=_SERVICE,
    ),
    Failure(
        name="node-port-taken",
        mark="no suitable node",
        pattern=_NOWHERE + r"host-mode port already in use",
        cause="the service publishes a port on each node itself (mode=host), and a task of it holds the port already",
        cure="run no more tasks than nodes, or update with --update-order stop-first, so that the old task leaves the port first",
        confirmed_by=_SERVICE,
    ),
    Failure(
        name="node-of-other-platform",
        mark="no suitable node",
        pattern=_NOWHERE + r"unsupported platform",
        cause="the image is not built for the processor of any node",
        cure="docker node inspect --format '{{.Description.Platform}}' NODE shows a node's; take an image for it",
        confirmed_by=_SERVICE,
    ),
    Failure(
        name="node-lacks-part",
        mark="no suitable node",
        pattern=r"no suitable node \((?P<why>[^)\n]{1,300})",
        cause="no node of the swarm may run the task: {why}",
        cure="docker node ls and docker service inspect --pretty SERVICE show what each has, and what the service asks for",
        confirmed_by=_SERVICE,
    ),
    Failure(
        name="task-without-image",
        mark="no such image",
        pattern=r"(?:Rejected|Failed)\b[^\n]{0,60}\"No such image: (?P<image>[^\"\n]{1,200})\"",
        cause="the node of the task has no image {image} and cannot pull it: it is private and the login was not handed on, or no "
        "registry has it",
        cure="docker service update --with-registry-auth --image IMAGE SERVICE hands your login on; an image that was built on one "
        "node has to be pushed to a registry first",
        source="moby/moby#34153",
        confirmed_by=_SERVICE,
    ),
    Failure(
        name="task-source-missing",
        mark="source path not found",
        pattern=r"invalid bind mount source, source path not found: (?P<path>/\S{1,300}?)[\"']?(?:\s|$)",
        cause="the node on which the task should run has no {path} to mount, and swarm does not create folders",
        cure="put {path} on each node that may run the task, keep it on one (--constraint-add node.hostname==NODE), or use a volume",
        source="moby/moby#26485",
        confirmed_by=_SERVICE,
    ),
    Failure(
        name="task-error-cut-off",
        mark="\u2026",
        pattern=r"(?:Rejected|Failed|Shutdown|Pending)\b[^\n]{0,120}\"(?P<begin>[^\"\n\u2026]{3,80})\u2026\"",
        cause="the message is cut off after: {begin}",
        cure="docker service ps --no-trunc SERVICE shows all of it: ask about that one",
    ),
    Failure(
        name="task-ended",
        mark="task: non-zero exit",
        pattern=r"task: non-zero exit \((?P<code>\d{1,3})\)",
        cause="the program of the task ended with code {code}; 137 is a kill, most often at its memory limit",
        cure="docker service logs --tail 50 SERVICE shows what it printed; docker inspect -f '{{.State.OOMKilled}}' of its "
        "container on that node says whether memory was the reason",
        confirmed_by=_SERVICE,
    ),
    Failure(
        name="address-to-advertise",
        mark="address to advertise",
        pattern=r"could not choose an IP address to advertise since this system has multiple addresses",
        cause="the host has several addresses, and swarm does not know at which the other nodes "
        "reach it",
        cure="docker swarm init --advertise-addr ADDRESS, with the one of the network that the nodes share (ip -br addr)",
    ),
    Failure(
        name="join-timed-out",
        mark="before node joined",
        pattern=r"Timeout was reached before node joined",
        cause="the manager did not answer in time: port 2377/tcp is closed between the two, or the address in the token's command "
        "is not reachable from here",
        cure="nc -vz MANAGER 2377 on this node tries it; open 2377/tcp, 7946/tcp and udp, and 4789/udp between all nodes",
    ),
    Failure(
        name="ingress-missing",
        mark="ingress network",
        pattern=r"needs ingress network, but no ingress network is present",
        cause="the swarm's network for published ports, ingress, was removed: a service with ports cannot be made or changed",
        cure="docker network create --driver overlay --ingress ingress makes it again",
        confirmed_by="",
    ),
    Failure(
        name="config-not-changed",
        mark="only updates to labels",
        pattern=r"(?:failed to update (?P<kind>config|secret) (?P<name>[\w.-]{1,200}): )?[^\n]{0,200}only updates to Labels are allowed",
        cause="a config or a secret of a swarm never changes: its file is different now, and the "
        "service keeps the old text",
        cure="give it a new name in the stack file (name: site_v2), and deploy again: the service is updated to that one",
        source="moby/moby#35048",
    ),
    Failure(
        name="config-in-use",
        mark="in use by the following service",
        pattern=r"(?P<kind>secret|config) '(?P<name>[\w.-]{1,200})' is in use by the following services?: (?P<service>[\w., -]{1,300})",
        cause="service {service} has {kind} {name}, which therefore cannot be removed",
        cure="docker service update --{kind}-rm {name} SERVICE takes it from a service first; or give the new one another name",
    ),
    Failure(
        name="network-of-one-host",
        mark="not in the right scope",
        pattern=r"network \"?(?P<network>[\w.-]{1,200}?)\"? (?:is declared as external, but it is |cannot be used with services\. )?[^\n]{0,80}not in the right scope: \"local\" instead of \"swarm\"",
        cause="network {network} belongs to this host alone (bridge), and services of a swarm need one of the swarm (overlay)",
        cure="docker network rm {network}, then docker network create --driver overlay --attachable {network}",
        source="docker/cli#1340",
    ),
    Failure(
        name="leadership-lost",
        mark="lost leader status",
        pattern=r"node lost leader status",
        cause="this manager was the leader of the swarm, and stopped being it while the command ran: the managers do not hear one another "
        "in time (slow network or disk, load)",
        cure="repeat the command; if it comes again, docker node ls shows who leads, and journalctl -u docker | grep raft how often that changes",
        source="moby/moby#31027",
        confirmed_by="swarm.quorum-lost",
    ),
    Failure(
        name="token-of-another-swarm",
        mark="does not match fingerprint",
        pattern=r"remote CA does not match fingerprint",
        cause="the join token does not belong to the swarm whose manager was asked: it belongs to another or an earlier swarm, or the swarm's certificate "
        "authority was changed since",
        cure="docker swarm join-token worker on that manager prints the command that is right now",
    ),
    Failure(
        name="manager-certificate",
        mark="authentication handshake failed",
        pattern=r"(?:response from daemon: |module=node|\bswarm|:2377\b)[^\n]{0,300}authentication handshake failed: [^\n]{0,80}"
        r"x509: certificate has expired or is not yet valid",
        cause="the nodes of the swarm do not accept each other's certificates: one has expired, or the clock of one node is wrong",
        cure="date -u on each node; if the clocks are right, openssl x509 -noout -dates -in "
        "/var/lib/docker/swarm/certificates/swarm-node.crt shows which has expired: that node leaves and joins again",
        source="moby/moby#24132",
    ),
    Failure(
        name="gateway-bridge-gone",
        mark="docker_gwbridge",
        pattern=r"failed to create endpoint \S{1,99} on network docker_gwbridge: network does not exist|network docker_gwbridge not found",
        cause="this node has lost its network docker_gwbridge, through which tasks reach the outside",
        cure="docker network create -d bridge -o com.docker.network.bridge.name=docker_gwbridge "
        "-o com.docker.network.bridge.enable_icc=false -o com.docker.network.bridge.enable_ip_masquerade=true docker_gwbridge",
        source="docker docs swarm networking",
    ),
    Failure(
        name="update-paused",
        mark="update paused due to failure",
        pattern=r"update paused due to failure or early termination of task (?P<task>\w{1,40})",
        cause="a new task of the service ended soon after its start (task {task}), so swarm paused the update: old and new tasks run side by side",
        cure="docker service ps --no-trunc SERVICE says why the task ended; docker service rollback SERVICE goes back",
        confirmed_by="swarm.update-stuck",
    ),
    Failure(
        name="service-name-malformed",
        mark="dns name component",
        pattern=r"(?P<name>[^\s\"]{1,100})\"?: must be a DNS name component|name must be valid as a DNS name component",
        cause="the name of a service may hold letters, digits and hyphens only, 63 at most: it becomes a DNS name",
        cure="give it another name; a stack puts its own name and _ in front",
    ),
    Failure(
        name="swarm-port-taken",
        mark="is already in use by service",
        pattern=r"port '(?P<port>\d{1,5})' is already in use by service '(?P<service>[\w.-]{1,200})'",
        cause="service {service} publishes port {port} already, on each node of the swarm",
        cure="publish another port, or take it from that one: docker service update --publish-rm {port} {service} (its own port inside)",
    ),
    Failure(
        name="swarm-node-not-down",
        mark="is not down and can't be removed",
        pattern=r"node (?P<node>[\w.-]{1,64}) is not down and can't be removed",
        cause="node {node} is still a member that answers",
        cure="docker swarm leave on that node, and docker node rm {node} when it is down; --force removes it at once",
    ),
    Failure(
        name="swarm-name-taken",
        mark="already exists",
        pattern=r"code = AlreadyExists desc = (?:[^\n:]{0,60}: )?(?P<kind>config|secret|service|network|node) (?P<name>[\w.-]{1,200}) already exists",
        cause="the swarm has a {kind} {name} already",
        cure="docker {kind} ls shows it; take another name, or docker {kind} rm {name} first",
    ),
    Failure(
        name="swarm-network-in-use",
        mark="is in use by ",
        pattern=r"network (?P<network>\w{1,64}) is in use by (?P<kind>service|task) (?P<user>\w{1,64})",
        cause="{kind} {user} of the swarm uses the network {network}",
        cure="docker service ls shows the services: remove the one, or docker service update --network-rm {network} SERVICE",
    ),
    Failure(
        name="swarm-port-without-address",
        mark="dnsrr",
        pattern=r"port published with ingress mode can't be used with dnsrr mode",
        cause="endpoint mode dnsrr gives the service no address of its own, and a port in ingress mode needs one",
        cure="publish the port with mode=host, or take endpoint_mode: dnsrr out",
    ),
    Failure(
        name="swarm-last-manager",
        mark=("last manager of the swarm", "erase all current state", "participating as a manager"),
        pattern=r"demote the last manager of the swarm|removing this node would erase all current state of the swarm"
        r"|You are attempting to leave the swarm on a node that is participating as a manager",
        cause="this node is a manager, and without it the swarm loses its state, or comes near to that",
        cure="docker node promote NODE another one first; docker swarm leave --force gives the swarm up",
    ),
    Failure(
        name="already-in-swarm",
        mark="already part of a swarm",
        pattern=r"This node is already part of a swarm",
        cause="this engine belongs to a swarm already, perhaps to an old one that no longer answers",
        cure="docker node ls shows whether that swarm lives; docker swarm leave (a manager: --force) leaves it, and its services end here",
    ),
    Failure(
        name="swarm-authority-expired",
        mark="root ca certificate",
        pattern=r"validating Root CA Certificate: x509: certificate has expired or is not yet valid",
        cause="the certificate of the swarm's own authority is outside its time, or this host's clock is wrong",
        cure="date -u shows the clock; if it is right, docker swarm ca --rotate on a manager makes a new one",
    ),
    Failure(
        name="swarm-refuses",
        mark="rpc error",
        pattern=r"Error response from daemon: rpc error: code = (?:InvalidArgument|FailedPrecondition|AlreadyExists|NotFound|PermissionDenied) desc = (?P<why>[^\n]{3,300})",
        cause="the manager of the swarm refuses the change: {why}",
        cure="change what it names in the command or the stack file; docker service inspect --pretty SERVICE shows what there is",
    ),
    Failure(
        name="agent-without-manager",
        mark="session",
        pattern=r"agent: session failed[^\n]{0,300}(?P<why>session initiation timed out|context deadline exceeded|connection refused|no route to host|i/o timeout)",
        cause="this node reaches no manager of its swarm ({why}): the managers are down, without a quorum, or ports 2377 and 7946 "
        "are closed between the nodes",
        cure="docker node ls on a manager says whether it has a leader; a lone manager that lost the others: "
        "docker swarm init --force-new-cluster",
        confirmed_by="swarm.quorum-lost",
    ),
)
"""The first row that fits counts."""
