"""Errors of a browser, curl or the docker command about a server that they cannot use, with their
meaning in plain words.

Only the caller has the message; the server may know nothing of the call.
"""

from diagnose.programs.failures.recognition import Failure

_HOST = r"(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?|[\w-]+(?:\.[\w-]+)+)"
"""This machine, an address, or a name with a dot: no name of a container."""

REFUSED_VISITS = (
    Failure(
        name="engine-not-reached",
        mark="the docker ",
        pattern=r"(?:Cannot connect to the Docker daemon|failed to connect to the docker API) at (?P<url>[^\s;]{1,200}?)[.;]?(?: |$)",
        cause="the docker command found no engine at {url}: the engine is down, or serves another address than "
        "DOCKER_HOST or the docker context names",
        cure="systemctl start docker if the engine is down; else unset DOCKER_HOST && docker context use default "
        "goes back to the usual address",
        confirmed_by="daemon.not-running",
        follows=True,
    ),
    Failure(
        name="engine-host-unknown",
        mark="error during connect",
        pattern=r"error during connect: [^\n]{1,300}lookup (?P<host>[\w.-]{1,253})[^\n]{0,100}: no such host",
        cause='the docker command looks for its engine on host "{host}", which no DNS server knows',
        cure="unset DOCKER_HOST to use the engine of this machine; in a CI job, start the service that has this name "
        "(docker:dind), or correct DOCKER_HOST",
        confirmed_by="daemon.client-context-dead",
        follows=True,
    ),
    Failure(
        name="visit-refused",
        mark=("refused", "couldn't connect to server", "could not connect to server"),
        pattern=r"ERR_CONNECTION_REFUSED|\brefused to connect\b|NS_ERROR_CONNECTION_REFUSED"
        r"|curl: \(7\) Failed to connect to "
        + _HOST
        + r" port (?P<port>\d{1,5})[^\n]{0,80}(?:refused|Could(?:n't| not) connect to server)"
        r"|wget: can't connect to remote host \((?P<address>[\d.]{7,15})\): Connection refused",
        cause="no program of that machine accepts connections at this port: the container is not "
        "running, does not publish the port, publishes it on another port, or only for "
        "127.0.0.1",
        cure="docker ps --format '{{.Names}} {{.Ports}}' shows what is published and where; "
        "diagnose path internet CONTAINER:PORT shows each hop",
        confirmed_by="network.proxy-missing",
    ),
    Failure(
        name="visit-of-closed-port",
        mark="curl: (7) failed to connect to ",
        pattern=r"(?i)curl: \(7\) Failed to connect to (?P<host>[\w-]{1,63}) port (?P<port>\d{1,5})"
        r"[^\n]{0,80}(?:refused|Could(?:n't| not) connect to server)",
        cause="nothing accepts connections at port {port} of {host}: its program is not ready, listens at another port, or on "
        "its own 127.0.0.1 only",
        cure="diagnose path CONTAINER {host}:{port} shows each hop, and what listens",
        confirmed_by="network.peer-not-listening",
    ),
    Failure(
        name="visit-without-way",
        mark="no route to host",
        pattern=r"(?i)curl: \(7\) Failed to connect to (?P<host>[\w.:\[\]-]{1,253}) port \d[^\n]{0,80}No route to host",
        cause="{host} is not reached: nobody has this address (a recreated container has another one), or a firewall "
        "on the way (firewalld, a chain with REJECT) rejects the packets",
        cure="diagnose path CONTAINER {host} shows each hop, and the rule that rejects; from outside, "
        "diagnose path internet CONTAINER:PORT",
        confirmed_by="network.peer-address-stale",
    ),
    Failure(
        name="visit-unanswered",
        mark=("err_", "ns_error_net", "curl: (5"),
        pattern=r"ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|NS_ERROR_NET_RESET|NS_ERROR_NET_EMPTY_RESPONSE"
        r"|curl: \((?:52|56)\)",
        cause="something took the connection and closed it without an answer: docker-proxy does this where nothing in the "
        "container listens at the published port, or the program listens on its own 127.0.0.1 only",
        cure="let the program listen on 0.0.0.0 and on the container's side of the published port; "
        "diagnose check network.published-port-not-listening shows what listens",
        confirmed_by="network.published-port-not-listening",
    ),
    Failure(
        name="visit-timed-out",
        mark="tim",
        pattern=r"ERR_CONNECTION_TIMED_OUT|NS_ERROR_NET_TIMEOUT|curl: \(28\) [^\n]{0,80}timed? ?out",
        cause="no answer comes back: a packet filter drops the packets, on this host or before it, the address is another "
        "machine's, or the program hangs",
        cure="diagnose path internet CONTAINER:PORT shows the hop that drops them; if each hop is open, look at "
        "the firewall of the provider",
        confirmed_by="firewall.forward-dropped",
    ),
    Failure(
        name="visit-of-plain-port",
        mark=("ssl", "wrong version number", "packet length"),
        pattern=r"ERR_SSL_PROTOCOL_ERROR|SSL_ERROR_RX_RECORD_TOO_LONG|curl: \(35\)[^\n]{0,120}(?:wrong version number|packet length too long)",
        cause="the address begins with https, and the port speaks http without TLS",
        cure="write http:// before the address, or put a proxy with a certificate before the container",
    ),
    Failure(
        name="packet-forbidden",
        mark="operation not permitted",
        pattern=r"(?:ping|traceroute): send(?:msg|to): Operation not permitted",
        cause="this machine itself refuses to send the packet: a rule of its chain OUTPUT, or a table of connections that is full",
        cure="iptables -S OUTPUT and nft list ruleset show the rule; sysctl net.netfilter.nf_conntrack_count against nf_conntrack_max",
    ),
    Failure(
        name="gateway-failed",
        mark="gateway",
        pattern=r"\b50[24] (?:Bad Gateway|Gateway Time-?out)",
        cause="the reverse proxy answers, and the program behind it does not: that is down, listens at another port or "
        "address, or has no network in common with the proxy",
        cure="diagnose path PROXY CONTAINER:PORT shows each hop between the two",
        confirmed_by="container.answers-with-errors",
    ),
)
"""The first row that fits counts."""
