"""Starts of the engine that fail at its addresses, certificates, options and programs."""

from diagnose.programs.failures.recognition import Failure

OPTIONS = (
    Failure(
        name="address-not-here",
        mark="cannot assign requested",
        pattern=r"listen tcp\S* (?P<address>\S+):(?P<port>\d+): bind: cannot assign requested address",
        cause="it is configured to listen on {address}, which this host does not have: the network was not up "
        "yet, or the address has changed",
        cure="start it again when the address is there; correct hosts or -H",
        source="moby/moby#22847",
        page={"address": "{address}", "again": "docker"},
    ),
    Failure(
        name="certificate-missing",
        mark=("could not read ca certificate", "x509 key pair"),
        pattern=r"(?:X509 key pair .*: open |could not read CA certificate \W{0,2})"
        r"(?P<file>/[^\s:\"\\]+)",
        cause="there is no {file}, which its TLS settings name",
        cure="put the file back, or correct tlscert, tlskey and tlscacert",
        page={"lost": "{file}"},
    ),
    Failure(
        name="certificate-of-another-key",
        mark="does not match public key",
        pattern=r'cert: \\?"(?P<certificate>[^"\\]+)\\?", key: \\?"(?P<key>[^"\\]+)\\?".*'
        r"private key does not match",
        cause="its TLS key {key} and certificate {certificate} do not belong together",
        cure="put the two of the same pair there",
        page={"certificate": "{certificate}", "certificate_key": "{key}"},
    ),
    Failure(
        name="group-missing",
        mark="group",
        pattern=r"group (?P<group>[\w-]+) not found",
        cause='this host has no group "{group}", which should own its socket',
        cure="create the group",
        page={"group": "{group}"},
    ),
    Failure(
        name="flag-unknown",
        mark="unknown",
        pattern=r"unknown (?:shorthand )?flag: '?(?P<flag>--?[\w-]+)",
        cause="its command line has the option {flag}, which this engine does not know",
        cure="remove the option from the unit or from /etc/default/docker (--graph is --data-root)",
        source="moby/moby#47744",
        page={"unknown_flag": "{flag}"},
    ),
    Failure(
        name="docker-proxy-missing",
        mark="userland-proxy",
        pattern=r"userland-proxy is enabled, but userland-proxy-path is not set",
        cause="the host has no program docker-proxy, and userland-proxy is on",
        cure='install the engine\'s package again, or set "userland-proxy": false',
        source="moby/moby#49052",
        page={"lost_program": "docker-proxy"},
    ),
    Failure(
        name="api-port-taken",
        mark="daemon listening port",
        pattern=r"failed to allocate daemon listening port (?P<port>\d{1,5}) \(err: (?P<why>[^)\n]{1,200})",
        cause="port {port}, on which the engine should serve its API, is taken: by another program, another dockerd, or "
        "a range of ports that is reserved",
        cure="see who has it with ss -ltnp 'sport = :{port}', and stop that one or change hosts or -H",
    ),
    Failure(
        name="log-level-unknown",
        mark="logging level",
        pattern=r"(?:invalid|unable to parse|not a valid) logging level:? \"?(?P<level>[\w-]{1,40})",
        cause='its log-level "{level}" does not exist',
        cure="write debug, info, warn, error or fatal in daemon.json or in the unit",
    ),
    Failure(
        name="address-malformed",
        mark=("bind address", "tcp address"),
        pattern=r"(?:error parsing tcp address|invalid (?:tcp )?bind address|Invalid bind address format)[^\n]{0,20}:? ?(?P<address>[^\n]{0,200})",
        cause="an address under hosts (or -H) has not the form tcp://ADDRESS:PORT, unix:///PATH or fd://: {address}",
        cure="correct it in daemon.json or in the unit",
    ),
    Failure(
        name="option-of-another-system",
        mark="supported on",
        pattern=r"option '?(?P<option>[\w.=-]{1,80})'? is (?:only|not) supported on (?P<system>\w{1,20})",
        cause="the option {option} does not belong to the engine of this operating system",
        cure="remove it from daemon.json or from the unit",
    ),
    Failure(
        name="home-unknown",
        mark=("home", "xdg_runtime_dir"),
        pattern=r"could not get either (?P<variables>XDG_\w{1,20} or HOME)|\$?(?P<variables_one>HOME|XDG_RUNTIME_DIR) (?:is not|isn't|needs to be) (?:set|defined)",
        cause="a rootless engine finds its folders by {variables}, which its environment does not have",
        cure="start it by systemctl --user, or set the variable (XDG_RUNTIME_DIR=/run/user/ID) in its unit or cron job",
    ),
    Failure(
        name="sockets-not-handed-over",
        mark="no sockets found via socket activation",
        pattern=r"no sockets found via socket activation",
        cause="it takes its socket from systemd (-H fd://), and docker.socket is not running, or "
        "something else than systemd started it",
        cure="systemctl enable --now docker.socket, then systemctl start docker",
        source="moby/moby#22847",
    ),
    Failure(
        name="link-not-set-up",
        mark="failed to set link up",
        pattern=r"Failed to set link up for (?P<bridge>[\w.-]{1,16}): operation not permitted",
        cause="it may not switch on the bridge {bridge}: it runs in a container or as a user without the right NET_ADMIN",
        cure="run the outer container with --privileged (LXC: nesting), or start the engine as root",
    ),
    Failure(
        name="nftables-with-swarm",
        mark="firewall-backend=nftables",
        pattern=r"--?firewall-backend=nftables is incompatible with swarm mode",
        cause="the firewall backend nftables does not work together with swarm mode",
        cure="set firewall-backend back to iptables in daemon.json, or leave the swarm",
    ),
    Failure(
        name="api-floor-above",
        mark="invalid api version",
        pattern=r"invalid API version: the minimum API version \((?P<least>[\d.]{1,9})\) is (?P<relation>higher|lower) than",
        cause="min-api-version (or DOCKER_MIN_API_VERSION) is {least}, which this engine cannot serve",
        cure="take it out of daemon.json and of the unit's environment, or write a version that docker version shows",
    ),
    Failure(
        name="program-missing",
        mark="executable file not found",
        pattern=r'exec: \\?"(?P<program>[\w.-]+)\\?": executable file not found',
        cause="the host has no program {program}, which it needs",
        cure="install the package of that program again",
        page={"lost_program": "{program}"},
    ),
)
