"""Errors of web servers and proxies about their configuration, and about callers that they turn
away."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import ChallengePort, HttpsRoute, NewKey, Preceded

WEB_SERVERS = (
    Failure(
        name="proxy-header-missing",
        mark="",
        pattern=r"""(?x)
            \bbroken\ header:\ ["]  # nginx
            | \bdoes\ not\ look\ like\ a\ PROXY\ protocol\ header\b  # HAProxy
            | \bproxy\ protocol\ signature\ not\ present\b  # Go
            | \bno\ (?:valid\ )?PROXY\ (?:protocol\ )?header\b
        """,
        cause="this server wants the header of the PROXY protocol before each request, and whoever "
        "calls it sends none: it closes these connections",
        cure="take proxy_protocol out of its listen lines (in HAProxy accept-proxy, in Traefik "
        "proxyProtocol), or let the proxy before it send that header",
        source="stalwartlabs/website#47; nginx's, HAProxy's and go-proxyproto's own messages",
        turns_away=True,
    ),
    Failure(
        name="proxy-header-unexpected",
        mark="proxy tcp",
        pattern=r"\bPROXY TCP[46] [0-9a-f.:]{3,39} [0-9a-f.:]{3,39} \d{1,5} \d{1,5}\b",
        cause="the proxy before this server sends the header of the PROXY protocol, and the server takes "
        "it for the request",
        cure="let the server expect that header (nginx: listen ... proxy_protocol), or take "
        "send-proxy, proxy_protocol on or proxyProtocol out of the proxy's settings",
        source="nginx's and Apache's own messages about such a request",
        turns_away=True,
    ),
    Failure(
        name="apache-mpm",
        mark="mpm loaded",
        pattern=r"(?P<which>No|More than one) MPM loaded",
        cause="Apache needs exactly one of its modules mpm_prefork, mpm_worker and mpm_event, "
        "and its configuration loads another number of them",
        cure="in the image: a2dismod mpm_event mpm_worker, a2enmod mpm_prefork for PHP; "
        "a mount over /etc/apache2 must have them too",
        source="docker-library/php#1276",
        remedy=Preceded("a2dismod -f mpm_event mpm_worker; a2enmod mpm_prefork"),
    ),
    Failure(
        name="plain-to-tls",
        mark="http request",
        pattern=r"client sent an HTTP request to an HTTPS server|\bSSL\b.{0,60}\bhttp request\b",
        cause="clients speak plain HTTP to its TLS port, and it refuses them",
        cure="write https:// in the proxy's route to it (proxy_pass https://; for Traefik the "
        "label loadbalancer.server.scheme=https), or give the proxy its port for plain HTTP",
        source="the message of Go's net/http, and of OpenSSL",
        turns_away=True,
        remedy=HttpsRoute(),
    ),
    Failure(
        name="acme-unreached",
        mark="timeout during connect",
        pattern=r"(?P<address>[\da-f.:]+): Fetching http://(?P<unreached>[\w.-]+)/\.well-known/"
        r"acme-challenge/\S+ Timeout during connect"
        r"|\"identifier\":\"(?P<unreached_caddy>[\w.-]{1,253})\"[^\n]{0,300}:error:connection - "
        r"(?P<address_caddy>[\da-f.:]{3,45}): Timeout during connect",
        cause="{unreached} gets no certificate: the authority calls port 80 of {address} from the "
        "internet, and gets no answer",
        cure="open port 80 in the router and in the provider's firewall, or correct the address of "
        "{unreached} in DNS; a challenge by DNS needs no port",
        source="Let's Encrypt's own message",
        turns_away=True,
        remedy=ChallengePort(80, "unreached", "{unreached}"),
    ),
    Failure(
        name="acme-refused",
        mark="connection refused",
        pattern=r"(?P<address>[\da-f.:]+): Fetching http://(?P<unreached>[\w.-]+)/\.well-known/"
        r"acme-challenge/[\w-]+: Connection refused"
        r"|\"identifier\":\"(?P<unreached_caddy>[\w.-]{1,253})\"[^\n]{0,300}:error:connection - "
        r"(?P<address_caddy>[\da-f.:]{3,45}): Connection refused",
        cause="{unreached} gets no certificate: the authority calls port 80 of {address} from the "
        "internet, where nothing takes the call",
        cure="publish port 80 of the web server that answers the challenge (`-p 80:80`), or correct "
        "the address of {unreached} in DNS; a challenge by DNS needs no port",
        source="Let's Encrypt's own message",
        turns_away=True,
        remedy=ChallengePort(80, "unreached", "{unreached}"),
    ),
    Failure(
        name="acme-authorizations-invalid",
        mark="authorizations as invalid",
        pattern=r"CA marked some of the authorizations as invalid",
        cause="a name gets no certificate: the authority could not fetch the answer to its challenge "
        "at port 80 of that name",
        cure="publish port 80 of the web server (`-p 80:80`), see that the name leads to this host, "
        "and that port 80 is open and forwarded; a challenge by DNS needs no port",
        source="nginx-proxy/acme-companion#26",
        turns_away=True,
        remedy=ChallengePort(80, variable="", value=""),
    ),
    Failure(
        name="laravel-key",
        mark="application",
        pattern=r"No application encryption key has been specified|\b(?:An|The) application key is missing, halting init",
        cause="Laravel answers every request with an error, because APP_KEY is not set",
        cure="set APP_KEY to a key of its own, and keep it: what it has encrypted needs it",
        source="alexjustesen/speedtest-tracker#845",
        turns_away=True,
        remedy=NewKey("APP_KEY"),
    ),
    Failure(
        name="nextcloud-host",
        mark="trusted domain error",
        pattern=r"Trusted domain error\..{1,80} using \\?\"(?P<host>[A-Za-z][\w.-]{0,252})(?::\d+)?\\?\" as host",
        cause="Nextcloud refuses those who ask for {host}, a host name that is not among its trusted_domains",
        cure="run this in the container as www-data: php occ config:system:set trusted_domains 1 --value={host}; the "
        "number is the next free one of php occ config:system:get trusted_domains",
        source="Nextcloud's documentation, trusted domains",
        turns_away=True,
    ),
    Failure(
        name="grafana-default",
        mark="marked as default",
        pattern=r"Only one datasource per organization can be marked as default",
        cause="two of the data sources that Grafana is given say isDefault: true",
        cure="leave isDefault: true in one of the files below provisioning/datasources",
    ),
    Failure(
        name="traefik-reference",
        mark="does not exist",
        pattern=r"\b(?P<kind>middleware|service) \\?\"(?P<named>[\w./-]{1,100}@\w{1,20})\\?\" does not exist",
        cause="Traefik has no {kind} {named}: another provider declares it, or its name is misspelt; "
        "the router that names it answers 404",
        cure="name it with its own provider behind an @, as in auth@file: without one it is looked for in the "
        "provider of the router",
        source="HomericIntelligence/Mnemosyne#3018",
        turns_away=True,
    ),
    Failure(
        name="traefik-resolver",
        mark="existent",
        pattern=r"uses a non-?existent (?:certificate )?resolver"
        r"(?:: (?P<resolver>[\w.-]{1,80})|.{0,300}?certificateResolver=(?P<resolver_field>[\w.-]{1,80}))",
        cause="a router of Traefik names a certificate resolver that its static configuration does not have, "
        "or that could not be set up: {resolver}",
        cure="declare it in the static configuration (certificatesResolvers); Traefik reads that only at its start",
        source="Traefik's own message",
        turns_away=True,
        follows=True,
    ),
    Failure(
        name="traefik-entry-point",
        mark=("entrypoint doesn't exist", "entrypointname="),
        pattern=r"(?i:EntryPoint (?:\\?\"[\w.-]{1,80}\\?\" )?doesn't exist).{0,200}?entryPointName=(?P<entry>[\w.-]{1,80})",
        cause="a router of Traefik names the entry point {entry}, which its static configuration does not have",
        cure="declare it there (entryPoints), or name one that it has; Traefik reads that file only at its start",
        source="Traefik's own message",
        turns_away=True,
    ),
    Failure(
        name="apache-terminal",
        mark="caught sigwinch",
        pattern=r"AH00170: caught SIGWINCH, shutting down gracefully",
        cause="Apache ended by SIGWINCH, which it takes for an order to stop: a terminal that is resized sends it, where the "
        "container has one (-t, tty: true)",
        cure="recreate it without -t (tty: true in compose), or behind --init with the stop signal of the image",
        source="docker-library/httpd#9",
    ),
    Failure(
        name="address-not-there",
        mark="address",
        pattern=r"\bfailed to bind to (?P<address_kafka>[\w.-]{1,120}):\d{2,5}: Cannot assign requested address"
        r"|(?:bind|listen)\b.{0,60}?(?P<address>\d+\.\d+\.\d+\.\d+)\S*.{0,40}[Cc]annot assign requested address"
        r"|\bbind: (?:Address not available|Cannot assign requested address)|panicked at '?Cannot assign requested address",
        cause="the program is configured to listen at an address that its container does not have",
        cure="let it listen on 0.0.0.0",
    ),
)
"""In the order in which a line is compared with them."""
