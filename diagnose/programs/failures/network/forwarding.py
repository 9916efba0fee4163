"""Errors of programs about requests that a proxy before them passes on, and about mail."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import ClientsNetwork, Extended, ImageSetting

_NETWORKS = ("POSTFIX_mynetworks", "MYNETWORKS", "RELAY_NETWORKS", "RELAY_NETS", "SMTP_NETWORKS")
"""Variables of images of mail servers that list whose mail they pass on."""

_ORIGINS = ("CSRF_TRUSTED_ORIGINS", "DJANGO_CSRF_TRUSTED_ORIGINS")
_PORTAINER = LazyPattern(r"(?:^|/)portainer(?:-ce|-ee)?(?:[:@]|$)")
_GRAFANA = LazyPattern(r"(?:^|/)grafana(?:-oss|-enterprise)?(?:[:@]|$)")

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
        name="origin-of-portainer",
        mark="failed to validate origin or referer",
        pattern=r"\bFailed to validate Origin or Referer\b.{0,200}?\bhost=(?P<host>[\w.:-]{1,253}) "
        r"origin=(?P<origin>https?://(?P<name>[\w.-]{1,253})(?::\d{1,5})?)(?=[\s\"]).{0,900}?\btrusted_origins=",
        cause="Portainer refuses requests of pages of {origin}, because the proxy passes them on for "
        "{host}, and its list of trusted origins lacks {name}",
        cure="set TRUSTED_ORIGINS={name}, without the scheme and the port; or have the proxy pass on the "
        "Host header with its port ($http_host in nginx) and X-Forwarded-Proto",
        source="portainer/portainer#12748, portainer/portainer#12751",
        turns_away=True,
        remedy=ImageSetting(_PORTAINER, "TRUSTED_ORIGINS", "{name}", is_list=True),
    ),
    Failure(
        name="origin-of-grafana",
        mark="request origin is not authorized",
        pattern=r"\bRequest Origin is not authorized\b.{0,200}?\borigin=(?P<origin>https?://[\w.:-]{1,253}) "
        r"appUrl=(?P<own>https?://\S{1,253})",
        cause="Grafana refuses live connections of pages of {origin}, because it takes its own address "
        "for {own}",
        cure="set root_url to the address in the browser (GF_SERVER_ROOT_URL={origin}/), or add {origin} to "
        "allowed_origins below [live]",
        source="grafana/grafana#36443",
        turns_away=True,
        remedy=ImageSetting(_GRAFANA, "GF_SERVER_ROOT_URL", "{origin}/"),
    ),
    Failure(
        name="origin-refused",
        mark="origin",
        pattern=r"""(?x)
            Origin\ checking\ failed\ -\ (?P<origin>https?://[\w.:-]{1,253})\ does\ not\ match
            | \bRequest\ origin\ not\ allowed:\ (?P<origin_rails>https?://[\w.:-]{1,253})
            | \bBlocking\ Cross\ Origin\ (?:API\ request|WebSocket)\b.{0,200}?
                \bOrigin:\ (?P<origin_jupyter>https?://[\w.:-]{1,253})(?=,\ Host:)
            | \brejected,\ Origin\ header\ value\ (?P<origin_spring>https?://[\w.:-]{1,253})\ not\ allowed
            | \bdoes\ not\ match\ `origin`\ header\ with\ value\ `(?P<origin_next>[\w.:-]{1,253})`
            | \bFailed\ to\ validate\ Origin\ or\ Referer\b.{0,200}?
                \borigin=(?P<origin_gorilla>https?://[\w.:-]{1,253})
        """,
        cause="the program refuses requests of pages of {origin}, an origin that its settings do not "
        "trust",
        cure="add {origin} to its trusted origins: CSRF_TRUSTED_ORIGINS in Django, "
        "config.action_cable.allowed_request_origins in Rails, allow_origin in Jupyter, "
        "serverActions.allowedOrigins in Next.js; where a proxy ends TLS, have it pass on the host "
        "and X-Forwarded-Proto",
        source="cookiecutter/cookiecutter-django#451; the messages of Rails, Jupyter, Spring and Next.js",
        at_any_level=True,
        turns_away=True,
        remedy=Extended(_ORIGINS, "{origin}"),
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
