"""Reverse proxies, certificates and sites: nginx-proxy, acme-companion, Traefik, Caddy, SWAG.

Sources: the documentation of each image.
"""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.setting_needs.needs import SettingNeed, image_named
from diagnose.programs.setting_needs.parts import (
    ExistingPath,
    Labelled,
    Lacking,
    MountAround,
    NeighbourWith,
    Published,
    SharedPlace,
    Sites,
    Text,
    Variable,
    Word,
)

NGINX_PROXY = r"(?:^|/)nginx-?proxy(?:[:@]|$)|(?:jwilder|nginxproxy)/nginx-proxy"
ACME_COMPANION = r"(?:^|/)(?:acme-companion|docker-letsencrypt-nginx-proxy-companion)(?:[:@]|$)"
_ANY = LazyPattern(r".")
_TRAEFIK = image_named("traefik")
_CERTIFICATES = "/etc/nginx/certs"

PROXY_NEEDS = (
    SettingNeed(
        "acme-host-without-site",
        _ANY,
        (
            Variable(r"LETSENCRYPT_HOST|ACME_HOST", r"(?P<site>[^,\s]{1,200}).{0,500}"),
            NeighbourWith(NGINX_PROXY),
            NeighbourWith(ACME_COMPANION),
        ),
        (Variable(r"VIRTUAL_HOST(?:_MULTIPORTS)?"),),
        says=(
            "has {variable} and no VIRTUAL_HOST: nginx-proxy does not serve {site}, and "
            "acme-companion gets no certificate for it"
        ),
        fix="VIRTUAL_HOST has to be set to the same names as {variable}",
        option="--env=VIRTUAL_HOST={value}",
        cuts_off=True,
    ),
    SettingNeed(
        "site-is-no-name",
        _ANY,
        (
            Variable("VIRTUAL_HOST", r"(?P<scheme>https?://)(?P<site>[\w.-]{1,200})/?"),
            NeighbourWith(NGINX_PROXY),
        ),
        (),
        says='has an address in VIRTUAL_HOST, "{value}": nginx-proxy takes only names of hosts',
        fix="VIRTUAL_HOST has to be {site}, without {scheme}",
        option="--env=VIRTUAL_HOST={site}",
        cuts_off=True,
    ),
    SettingNeed(
        "default-host-unserved",
        LazyPattern(NGINX_PROXY),
        (Variable("DEFAULT_HOST", r"[\w.-]{1,200}"),),
        (
            NeighbourWith(
                ".", (Variable("VIRTUAL_HOST", r"(?:.{0,500}[,\s])?{value}(?:[,\s:].*)?"),)
            ),
            NeighbourWith(".", (Variable("VIRTUAL_HOST_MULTIPORTS"),)),
        ),
        says="has {value} as DEFAULT_HOST, and no running container has that name in VIRTUAL_HOST",
        fix="DEFAULT_HOST has to be a name that a container has in VIRTUAL_HOST",
    ),
    SettingNeed(
        "certificates-apart",
        LazyPattern(ACME_COMPANION),
        (NeighbourWith(NGINX_PROXY, (Published("443/tcp"),)), MountAround(_CERTIFICATES)),
        (
            SharedPlace(_CERTIFICATES, NGINX_PROXY),
            SharedPlace(_CERTIFICATES, r"(?:^|/)nginx(?:[:@]|$)"),
        ),
        says=(
            "writes certificates to its own /etc/nginx/certs, and {server} does not have that "
            "volume there: it does not see a certificate"
        ),
        fix="both containers have to mount one volume at /etc/nginx/certs",
        cuts_off=True,
    ),
    SettingNeed(
        "challenge-unpublished",
        LazyPattern(ACME_COMPANION),
        (
            NeighbourWith(NGINX_PROXY, (Published("443/tcp"), Lacking(Published("80/tcp")))),
            NeighbourWith(".", (Variable(r"LETSENCRYPT_HOST|ACME_HOST"), Variable("VIRTUAL_HOST"))),
        ),
        (Variable("ACME_CHALLENGE", "(?i)dns-01"),),
        says="asks for certificates by HTTP at port 80, which {server} does not publish",
        fix="port 80 of nginx-proxy has to be published, for the authority calls it",
    ),
    SettingNeed(
        "challenge-entry-point-unknown",
        _TRAEFIK,
        (
            Word(
                r"(?i)--certificatesresolvers\.[^.=\s]{1,60}\.acme\.httpchallenge\.entrypoint="
                r"(?P<point>[\w-]{1,60})"
            ),
            Word(r"(?i)--entrypoints\.(?P<known>[\w-]{1,60})"),
        ),
        (Word(r"(?i)--entrypoints\.{point}(?=[.=\s]|$)"),),
        says=(
            'names "{point}" as the entry point of its HTTP challenge, and has no such entry point: '
            "it gets no certificate"
        ),
        fix="the challenge has to name an entry point for port 80 that the command defines",
        cuts_off=True,
    ),
    SettingNeed(
        "redirect-entry-point-unknown",
        _TRAEFIK,
        (
            Word(
                r"(?i)--entrypoints\.[^.=\s]{1,60}\.http\.redirections\.entrypoint\.to="
                r"(?P<point>[a-z][\w-]{0,60})"
            ),
        ),
        (Word(r"(?i)--entrypoints\.{point}(?=[.=\s]|$)"),),
        says='redirects requests to the entry point "{point}", and has no such entry point',
        fix="the redirection has to name an entry point that the command defines",
        cuts_off=True,
    ),
    SettingNeed(
        "certificates-lost",
        _TRAEFIK,
        (
            Word(
                r"(?i)--certificatesresolvers\.[^.=\s]{1,60}\.acme\.storage="
                r"(?P<path>/[\w./-]{1,200})"
            ),
        ),
        (MountAround("{path}"),),
        says=(
            "keeps its certificates in {path}, and nothing is mounted there: each new container "
            "asks for all of them again, and the authority refuses that soon"
        ),
        fix="a volume has to be mounted at the folder of {path}",
    ),
    SettingNeed(
        "file-provider-empty",
        _TRAEFIK,
        (Word(r"(?i)--providers\.file\.(?:directory|filename)=(?P<path>/[^\s]{1,200})"),),
        (ExistingPath("{path}"),),
        says="reads routes from {path}, and the container does not have that path",
        fix="the folder or file with the routes has to be mounted at {path}",
    ),
    SettingNeed(
        "wildcard-by-http",
        image_named("swag"),
        (Variable("SUBDOMAINS", r"wildcard,?"), Variable("VALIDATION", "(?P<way>http)")),
        (),
        says=(
            "asks for a certificate for all subdomains by {way} (VALIDATION): authorities give "
            "such a certificate only by DNS"
        ),
        fix="VALIDATION has to be dns, with DNSPLUGIN and the credentials in /config/dns-conf",
        option="--env=VALIDATION=dns",
        cuts_off=True,
    ),
    SettingNeed(
        "webroot-apart",
        image_named("certbot"),
        (
            Word(r"(?:--webroot-path|-w)[ =](?P<path>/[^\s]{1,200}?)/?(?=\s|$)"),
            MountAround("{path}"),
            NeighbourWith(r".", (Published("80/tcp"), MountAround("{path}"))),
        ),
        (SharedPlace("{path}", r"."),),
        says=(
            "writes the answers to challenges to its own {path}, and {server}, which serves port "
            "80, has another volume there"
        ),
        fix="both containers have to mount one volume at {path}",
    ),
    SettingNeed(
        "proxy-headers-unread",
        image_named("keycloak"),
        (Sites(), Word(r"(?:^|\s)start(?:\s|$)"), Variable("KC_HTTP_ENABLED", "(?i)true")),
        (
            Variable("KC_PROXY_HEADERS"),
            Word(r"--proxy-headers\b"),
            Variable("KC_HOSTNAME", r"https://.+"),
            Word(r"--hostname[ =]https://"),
            Variable("KC_PROXY"),
            Word(r"--proxy[ =]"),
            MountAround("/opt/keycloak/conf/keycloak.conf"),
        ),
        says=(
            "is behind a proxy and has no KC_PROXY_HEADERS: it takes its clients for clients by "
            "plain HTTP"
        ),
        fix="KC_PROXY_HEADERS has to be xforwarded where the proxy sets the X-Forwarded headers",
        option="--env=KC_PROXY_HEADERS=xforwarded",
    ),
    SettingNeed(
        "https-not-assumed",
        image_named("nextcloud"),
        (
            Labelled(r"traefik\.http\.routers\.[^.=]{1,80}\.tls(?:=true|\.certresolver=)"),
            Lacking(Published("80/tcp")),
        ),
        (
            Variable(r"OVERWRITEPROTOCOL|TRUSTED_PROXIES"),
            Text(
                ("/var/www/html/config/config.php",),
                r"""['"](?:overwriteprotocol|trusted_proxies|overwrite\.cli\.url['"]\s{0,9}=>\s{0,9}['"]https)""",
            ),
            Lacking(ExistingPath("/var/www/html/config/config.php")),
        ),
        says=(
            "is behind Traefik with TLS, and neither OVERWRITEPROTOCOL nor TRUSTED_PROXIES is set: it may "
            "give its clients addresses with http://"
        ),
        fix="OVERWRITEPROTOCOL has to be https",
        option="--env=OVERWRITEPROTOCOL=https",
    ),
)
