"""Errors of programs about requests that a proxy before them passes on, and about mail."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import ClientsNetwork

_NETWORKS = ("POSTFIX_mynetworks", "MYNETWORKS", "RELAY_NETWORKS", "RELAY_NETS", "SMTP_NETWORKS")
"""Variables of images of mail servers that list whose mail they pass on."""

FORWARDING = (
    Failure(
        name="upgrade-missing",
        mark="upgrade",
        pattern=r"""(?x)
            \bCan\ ["']Upgrade["']\ only\ to\ ["']WebSocket  # Tornado
            | ['"]upgrade['"]\ token\ not\ found\ in\ ['"]Connection['"]\ header  # Gorilla
            | \bWebSocket\ protocol\ violation:\ Connection\ header\ .{0,80}does\ not\ contain\ Upgrade
            | \bHandshake\ failed\ due\ to\ invalid\ Upgrade\ header:\ null  # Spring
            | \bNo\ WebSocket\ UPGRADE\ hdr  # aiohttp
        """,
        cause="clients ask for WebSocket, and the proxy before it does not pass on their header "
        "Upgrade: what the page shows live stays empty",
        cure="in nginx, write proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and "
        'proxy_set_header Connection "upgrade" beside proxy_pass; in Apache, load mod_proxy_wstunnel',
        source="Tornado's, Gorilla's, Spring's and aiohttp's own messages",
        turns_away=True,
    ),
    Failure(
        name="origin-null",
        mark="null",
        pattern=r"Origin checking failed - null does not match"
        r"|HTTP Origin header \(null\) didn't match request\.base_url",
        cause="the program refuses forms whose page hides its address (Origin: null): the proxy "
        "before it sets the header Referrer-Policy to no-referrer, or a page of data: holds the form",
        cure="set Referrer-Policy to same-origin or strict-origin-when-cross-origin: in Traefik the "
        "label referrerPolicy of a headers middleware, in nginx add_header Referrer-Policy",
        source="tubearchivist/tubearchivist#192",
        turns_away=True,
    ),
    Failure(
        name="origin-of-https",
        mark="request.base_url",
        pattern=r"HTTP Origin header \((?P<origin>https://[^)\s]{1,200})\) didn't match "
        r"request\.base_url \((?P<own>http://[^)\s]{1,200})\)",
        cause="the program refuses the forms of {origin}, because it takes its own address for "
        "{own}: the proxy before it does not pass on that clients come by HTTPS",
        cure="have the proxy that ends HTTPS send X-Forwarded-Proto: https, and each proxy behind it "
        "pass that on",
        source="Rails' own message",
        turns_away=True,
    ),
    Failure(
        name="forwarded-for-untrusted",
        mark="err_erl_",
        pattern=r"\bERR_ERL_(?:UNEXPECTED_X_FORWARDED_FOR|PERMISSIVE_TRUST_PROXY)",
        cause="the program counts all visitors as one, by the address of the proxy before it: its "
        "limit on requests or logins then locks everybody out (429)",
        cure="let the program trust its one proxy (Express: app.set('trust proxy', 1); many programs "
        "have a variable TRUST_PROXY or TRUSTED_PROXIES)",
        source="the message of express-rate-limit",
        turns_away=True,
    ),
    Failure(
        name="relay-refused",
        mark="relay",
        pattern=r"""(?x)
            \breject:\ RCPT\ from\ [^\[\s]{0,253}\[(?P<client>[\da-fA-F.:]+)\]:\ [45]5\d\ .{0,300}?
                \bRelay\ access\ denied  # Postfix
            | \bH=\S{0,253}\ (?:\(\S{0,253}\)\ )?\[(?P<client_exim>[\da-fA-F.:]+)\].{0,300}?
                rejected\ RCPT\ .{0,300}?\brelay\ not\ permitted  # Exim
        """,
        cause="the mail server refuses the mails of {client}, which is in none of the networks whose "
        "mail it passes on",
        cure="add the client's network to mynetworks (Postfix) or relay_nets (Exim), often a variable "
        "of the image such as POSTFIX_mynetworks, RELAY_NETWORKS or PERMIT_DOCKER=network",
        source="docker-mailserver/docker-mailserver#261, eea/eea.docker.postfix#8",
        turns_away=True,
        remedy=ClientsNetwork(_NETWORKS, "{client}"),
    ),
    Failure(
        name="relay-refused-to-it",
        mark="relay",
        pattern=r"""(?x)
            \b[45]5\d[\s,]{1,3}(?:b['"])?(?:[45]\.\d\.\d\ )?.{0,300}?
                \b(?i:relay(?:ing)?\ (?:access\ )?denied|relay\ not\ permitted)
        """,
        cause="the mail server that it calls refuses its mails: it passes on none from this address",
        cure="let the program log in to the mail server, or add the container's network to those whose "
        "mail the server passes on (mynetworks)",
        source="eea/eea.docker.postfix#8",
    ),
    Failure(
        name="name-with-underscore",
        mark="",
        pattern=r"""(?x)
            Invalid\ HTTP_HOST\ header:\ '(?:[^':\s]{0,200}_[^':\s]{0,200})(?::\d+)?'\.\ The\ domain\ name
            | \bThe\ host\ \[(?:[^\]\s]{0,200}_[^\]\s]{0,200})\]\ is\ not\ valid
            | \bThe\ character\ \[_\]\ is\ never\ valid\ in\ a\ domain\ name
        """,
        cause="the program refuses those who call it by a name with an underscore, which no host name "
        "may have",
        cure="call the container by another name: a network alias without an underscore (compose: "
        "networks: NAME: aliases), or its address",
        source="microcks/microcks#1779; Django's and Tomcat's own messages",
        turns_away=True,
    ),
)
