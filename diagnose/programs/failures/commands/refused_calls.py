"""Errors of a failed call, as a program, curl, ping or a proxy prints them, with their meaning in
plain words.

Pasted by itself, a message of this kind does not show in which container it was written.
"""

from diagnose.programs.failures.recognition import Failure

_ADDRESS = r"(?P<address>\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?)"
_NAME = r"(?P<host>[\w-]{1,63}(?:\.[\w-]{1,63}){0,9})\.?"

RESOLVER_ANSWERS = (
    Failure(
        name="name-without-servers",
        mark="127.0.0.11",
        pattern=rf"lookup {_NAME} on 127\.0\.0\.11:53: [^\n]{{0,120}}?(?:server misbehaving|i/o timeout)",
        cause="the engine's resolver (127.0.0.11) of a container got no answer about {host}: no container of its networks "
        "has that name, and the DNS servers of the host do not answer either",
        cure="diagnose check dns says which server fails; docker network inspect NETWORK lists the containers that "
        "have a name there",
        source="Go's own message",
        confirmed_by="dns.upstream-unreachable",
    ),
    Failure(
        name="name-of-no-container",
        mark="127.0.0.11",
        pattern=rf"lookup {_NAME} on 127\.0\.0\.11:53: no such host",
        cause="a program in a container calls {host}: no running container has that name on the networks of the caller, and "
        "no DNS server outside knows it",
        cure="start the container that is meant, put both on one network (docker network connect), or correct the name in "
        "the caller's settings",
        source="Go's own message",
        confirmed_by="dns.name-unknown",
    ),
)
"""Errors of the engine's resolver, which it gives to a container: the engine itself never asks it.
"""

_NAMES = (
    Failure(
        name="name-not-found",
        mark=("eai_again", "bad address", "can't find"),
        pattern=rf"EAI_AGAIN (?!undefined){_NAME}|bad address '(?P<host_busybox>[\w.-]{{1,253}})"
        r"|server can't find (?P<host_nslookup>[\w.-]{1,253}?)\.?: (?:NXDOMAIN|SERVFAIL|REFUSED)",
        cause="{host} does not resolve in that container: no running container has the name on its networks, or the DNS "
        "server that it asks fails",
        cure="see that the container that is meant runs on a network of the caller; diagnose check dns says whether a "
        "server fails",
        source="Node.js', busybox' and nslookup's own messages",
        confirmed_by="dns.name-unknown",
    ),
)

_PACKETS = (
    Failure(
        name="no-way-to-host",
        mark=("no route to host", "ehostunreach"),
        pattern=rf"(?i){_ADDRESS}[^\n]{{0,60}}No route to host"
        r"|EHOSTUNREACH (?P<address_node>\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?)",
        cause="{address} is not reached: nobody has this address (the recreated container has another one), or a "
        "firewall of the way (firewalld, a chain with REJECT) rejects the packets",
        cure="diagnose path CONTAINER {address} shows each hop, and the rule that rejects; call containers by name and not "
        "by address",
        source="the kernel's own words for EHOSTUNREACH",
        confirmed_by="network.peer-address-stale",
    ),
    Failure(
        name="call-timed-out",
        mark="etimedout",
        pattern=rf"ETIMEDOUT {_ADDRESS}",
        cause="nothing comes back from {address}: a firewall drops the packets, the caller and the program that it calls "
        "have no network in common, or nobody has this address any more",
        cure="diagnose path CONTAINER {address} shows the hop that drops them",
        source="Node.js' own message",
        confirmed_by="network.peer-on-other-network",
    ),
    Failure(
        name="no-way-at-all",
        mark=("network is unreachable", "enetunreach"),
        pattern=r"Network is unreachable|ENETUNREACH",
        cause="the caller has no route to that address: its network is internal or none, its default route is gone, or the "
        "address is IPv6 and the caller has IPv4 only",
        cure="docker exec CONTAINER ip route shows its routes; diagnose check network says what is missing",
        source="the kernel's own words for ENETUNREACH",
        confirmed_by="network.internal-called-out",
    ),
)

_PROXIES = (
    Failure(
        name="proxy-refused",
        mark="while connecting to upstream",
        pattern=r"connect\(\) failed \(111: [^\n]{0,400}upstream: \"(?P<upstream>[^\"\s]{1,300})",
        cause="nginx calls {upstream}, and nothing listens there: the program behind it is down, listens at another port or "
        "on its own 127.0.0.1, or has a new address since nginx started",
        cure="diagnose path PROXY CONTAINER:PORT shows each hop; nginx -s reload takes new addresses",
        source="nginx' own message",
        confirmed_by="container.answers-with-errors",
    ),
    Failure(
        name="proxy-without-server",
        mark=("service temporarily unavailable", "healthy upstream", "no available server"),
        pattern=r"\b503 Service Temporarily Unavailable|^no (?:healthy upstream|available server)$",
        cause="the reverse proxy knows no program for this host name or path, or has taken all of them out since they fail",
        cure="look at the names and ports that the proxy takes from labels, VIRTUAL_HOST or its file; "
        "diagnose check network.route-unserved compares them with what runs",
        source="nginx-proxy's, Envoy's and Traefik's own messages",
        confirmed_by="network.route-unserved",
    ),
    Failure(
        name="proxy-not-answered",
        mark="upstream connect error",
        pattern=r"upstream connect error or disconnect/reset before headers[^\n]{0,200}",
        cause="the reverse proxy (Envoy) calls the program behind it, and gets no connection, or loses it before an answer",
        cure="diagnose path PROXY CONTAINER:PORT shows each hop between the two",
        source="Envoy's own message",
        confirmed_by="container.answers-with-errors",
    ),
    Failure(
        name="visits-in-a-circle",
        mark=("too_many_redirects", "redirected you too many times", "maximum (50) redirects"),
        pattern=r"ERR_TOO_MANY_REDIRECTS|redirected you too many times|Maximum \(50\) redirects followed",
        cause="the server sends the browser in a circle: most often the program redirects to https, and the proxy before it "
        "has ended TLS and asks by http again",
        cure="have the proxy pass X-Forwarded-Proto, and the program trust it; diagnose check network.redirect-loop follows "
        "the answers",
        source="browsers' and curl's own messages",
        confirmed_by="network.redirect-loop",
    ),
)

REFUSED_CALLS = (*_NAMES, *_PACKETS, *_PROXIES)
"""The first row that fits counts. These rows come last: the program that makes the call may explain
more."""
