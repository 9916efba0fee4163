"""container.setting-incomplete: rules about settings that need another part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.settings.unmet_needs import unmet_needs
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Failed, Json
from diagnose.programs.setting_needs.table import SETTING_NEEDS
from diagnose.questions import Question
from diagnose.questions.containers import ReadContainerFile
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows
from tests.redact.worst import spent, worst_texts

WARNING, ADVICE = "warning", "advice"
STARTED = 1767323045.0
SLOWEST_S = 0.05


def made(name: str, image: str, *parts: str) -> Container:
    """A container of few words: NAME=value, -p 53:53/udp, -v source:/path, `$ command`."""
    shape: dict[str, Any] = {
        "Config": {"Image": image, "Env": [], "Labels": {}},
        "HostConfig": {"CapAdd": [], "Devices": []},
        "NetworkSettings": {"Networks": {"shop": {"IPAddress": "10.0.0.2"}}, "Ports": {}},
        "Mounts": [],
    }
    for part in parts:
        kind, _, value = part.partition(" ")
        if kind == "$":
            shape["Config"]["Cmd"] = value.split()
        elif kind == "-l":
            key, _, text = value.partition("=")
            shape["Config"]["Labels"][key] = text
        elif kind == "-p":
            host_port, _, port = value.partition(":")
            binding = {"HostIp": "0.0.0.0", "HostPort": host_port}
            shape["NetworkSettings"]["Ports"][port] = [binding]
        elif kind == "-v":
            source, _, place = value.partition(":")
            source = source if source.startswith("/") else f"/srv/{source}"
            shape["Mounts"].append({"Type": "bind", "Source": source, "Destination": place})
        elif kind == "--cap-add":
            shape["HostConfig"]["CapAdd"].append(value)
        elif kind == "--device":
            shape["HostConfig"]["Devices"].append({"PathInContainer": value})
        elif kind == "--network":
            shape["HostConfig"]["NetworkMode"] = value
        elif kind == "--networks":
            shape["NetworkSettings"]["Networks"] = {value: {"IPAddress": "10.1.0.2"}}
        else:
            shape["Config"]["Env"].append(part)
    return container(name, **shape)


PROXY = (
    "proxy",
    "nginxproxy/nginx-proxy:1.6",
    "-p 80:80/tcp",
    "-p 443:443/tcp",
    "-v certs:/etc/nginx/certs",
)
ACME = ("acme", "nginxproxy/acme-companion:2.4", "-v certs:/etc/nginx/certs")
DIND = ("docker", "docker:27-dind", "DOCKER_TLS_CERTDIR=/certs")
OPEN_DIND = ("docker", "docker:27-dind", "DOCKER_TLS_CERTDIR=")
REDIS = ("redis", "redis:7", "$ redis-server --requirepass s3cr3t")
TRAEFIK = (
    "$ --entrypoints.http.address=:80 --certificatesresolvers.le.acme.httpchallenge.entrypoint="
)
SITE = "-l traefik.http.routers.a.tls.certresolver=le"
WIREGUARD = "lscr.io/linuxserver/wireguard:latest"
ES = ("es", "elasticsearch:8.14.0")
GRAFANA = "grafana/grafana:11.1.0"
MOSQUITTO = "/mosquitto/config/mosquitto.conf"
LISTENER = "listener 1883\npersistence true\n"
RADIO = "mqtt:\n  server: mqtt://mq\nserial:\n  port: /dev/ttyUSB0\n"
TELEGRAF = '[[inputs.docker]]\n  endpoint = "unix:///var/run/docker.sock"\n'
CONFIG_PHP = "/var/www/html/config/config.php"
Made_ = tuple[str, ...]
Row = tuple[str, str, list[Made_], list[Made_], dict[str, str], dict[str, str]]


def row(
    key: str,
    severity: str,
    faulty: Made_,
    whole: Made_,
    *others: Made_,
    files: dict[str, str] | None = None,
    whole_files: dict[str, str] | None = None,
) -> Row:
    """A rule, and its container with the fault and without it; the others are beside both."""
    texts = files or {}
    return (
        key,
        severity,
        [faulty, *others],
        [whole, *others],
        texts,
        texts if whole_files is None else whole_files,
    )


ROWS = [
    row("acme-host-without-site", WARNING, ("blog", "ghost:5", "LETSENCRYPT_HOST=b.example.org"), ("blog", "ghost:5", "LETSENCRYPT_HOST=b.example.org", "VIRTUAL_HOST=b.example.org"), PROXY, ACME),
    row("site-is-no-name", WARNING, ("blog", "ghost:5", "VIRTUAL_HOST=https://b.example.org"), ("blog", "ghost:5", "VIRTUAL_HOST=b.example.org"), PROXY),
    row("default-host-unserved", ADVICE, (*PROXY, "DEFAULT_HOST=www.example.org"), (*PROXY, "DEFAULT_HOST=b.example.org"), ("blog", "ghost:5", "VIRTUAL_HOST=c.example.org,b.example.org")),
    row("certificates-apart", WARNING, ("acme", "nginxproxy/acme-companion:2.4", "-v other:/etc/nginx/certs"), ACME, PROXY),
    row("challenge-unpublished", ADVICE, ACME, (*ACME, "ACME_CHALLENGE=DNS-01"), ("proxy", "nginxproxy/nginx-proxy:1.6", "-p 443:443/tcp", "-v certs:/etc/nginx/certs"), ("blog", "ghost:5", "VIRTUAL_HOST=b.example.org", "ACME_HOST=b.example.org")),
    row("challenge-entry-point-unknown", WARNING, ("t", "traefik:v3.1", f"{TRAEFIK}web"), ("t", "traefik:v3.1", f"{TRAEFIK}http")),
    row("redirect-entry-point-unknown", WARNING, ("t", "traefik:v3.1", "$ --entryPoints.web.address=:80 --entryPoints.web.http.redirections.entryPoint.to=secure"), ("t", "traefik:v3.1", "$ --entryPoints.web.address=:80 --entryPoints.web.http.redirections.entryPoint.to=websecure --entrypoints.websecure.address=:443")),
    row("file-provider-empty", ADVICE, ("t", "traefik:v3.1", "$ --providers.file.directory=/dynamic"), ("t", "traefik:v3.1", "$ --providers.file.directory=/etc"), whole_files={"/etc": ""}),
    row("certificates-lost", ADVICE, ("t", "traefik:v3.1", "-v a:/le", "$ --certificatesresolvers.le.acme.storage=/letsencrypt/acme.json"), ("t", "traefik:v3.1", "-v a:/letsencrypt", "$ --certificatesresolvers.le.acme.storage=/letsencrypt/acme.json")),
    row("guest-called", ADVICE, ("son", "sonarr:4", "QBIT_URL=http://qb:8085", "--network media"), ("son", "sonarr:4", "QBIT_URL=http://vpn:8085", "--network media"), ("vpn", "gluetun:3"), ("qb", "qbittorrent:4", "--network container:vpn", "--networks none")),
    row("inner-address-published", WARNING, ("jf", "jellyfin/jellyfin:10", "JELLYFIN_PublishedServerUrl=http://10.0.0.2:8096", "-p 8096:8096/tcp"), ("jf", "jellyfin/jellyfin:10", "JELLYFIN_PublishedServerUrl=http://192.168.1.5:8096", "-p 8096:8096/tcp")),
    row("tailscale-state-lost", ADVICE, ("ts", "tailscale/tailscale:v1", "TS_STATE_DIR=/state", "-v a:/var/lib/tailscale"), ("ts", "tailscale/tailscale:v1", "TS_STATE_DIR=/var/lib/tailscale", "-v a:/var/lib/tailscale")),
    row("objects-elsewhere", ADVICE, ("s3", "minio/minio:R", "-v a:/data", "$ server /export"), ("s3", "minio/minio:R", "-v a:/data", "$ server --console-address :9001 /data")),
    row("wildcard-by-http", WARNING, ("swag", "lscr.io/linuxserver/swag:2", "SUBDOMAINS=wildcard", "VALIDATION=http"), ("swag", "lscr.io/linuxserver/swag:2", "SUBDOMAINS=www,", "VALIDATION=http", "DNSPLUGIN=cloudflare")),
    row("webroot-apart", ADVICE, ("cb", "certbot/certbot:v2", "-v a:/var/www/certbot", "$ renew -w /var/www/certbot"), ("cb", "certbot/certbot:v2", "-v b:/var/www/certbot", "$ renew -w /var/www/certbot"), ("web", "nginx:1.27", "-p 80:80/tcp", "-v b:/var/www/certbot")),
    row("proxy-headers-unread", ADVICE, ("kc", "quay.io/keycloak/keycloak:25.0", "KC_HTTP_ENABLED=true", "VIRTUAL_HOST=id.example.org", "$ start"), ("kc", "quay.io/keycloak/keycloak:25.0", "KC_HTTP_ENABLED=true", "VIRTUAL_HOST=id.example.org", "KC_PROXY_HEADERS=xforwarded", "$ start")),
    row("https-not-assumed", ADVICE, ("cloud", "nextcloud:29", SITE), ("cloud", "nextcloud:29", SITE, "OVERWRITEPROTOCOL=https"), files={CONFIG_PHP: "<?php\n$CONFIG = array('installed' => true);\n"}),
    row("https-not-assumed", ADVICE, ("cloud", "nextcloud:29", SITE), ("cloud", "nextcloud:29", SITE), files={CONFIG_PHP: "<?php\n"}, whole_files={CONFIG_PHP: "'overwrite.cli.url' => 'https://c.example.org',"}),
    row("wireguard-without-peers", WARNING, ("wg", WIREGUARD, "SERVERURL=v.example.org", "-p 51820:51820/udp"), ("wg", WIREGUARD, "SERVERURL=v.example.org", "PEERS=2", "-p 51820:51820/udp")),
    row("wireguard-without-peers", WARNING, ("wg", WIREGUARD, "SERVERURL=v.example.org", "-p 51820:51820/udp"), ("wg", WIREGUARD, "SERVERURL=v.example.org", "-p 51820:51820/udp"), whole_files={"/config/wg_confs/wg0.conf": "[Interface]\n"}),
    row("wireguard-port-announced", ADVICE, ("wg", WIREGUARD, "PEERS=2", "SERVERPORT=51820", "-p 51821:51820/udp"), ("wg", WIREGUARD, "PEERS=2", "SERVERPORT=51821", "-p 51821:51820/udp")),
    row("wireguard-port-unannounced", ADVICE, ("wg", WIREGUARD, "PEERS=2", "-p 51821:51820/udp"), ("wg", WIREGUARD, "PEERS=2", "-p 51820:51820/udp")),
    row("vpn-host-local", WARNING, ("wg", "ghcr.io/wg-easy/wg-easy:14", "WG_HOST=127.0.0.1"), ("wg", "ghcr.io/wg-easy/wg-easy:14", "WG_HOST=v.example.org")),
    row("transmission-network", ADVICE, ("tr", "haugene/transmission-openvpn:5", "OPENVPN_PROVIDER=PIA", "-p 9091:9091/tcp"), ("tr", "haugene/transmission-openvpn:5", "OPENVPN_PROVIDER=PIA", "LOCAL_NETWORK=192.168.0.0/16", "-p 9091:9091/tcp")),
    row("tailscale-kernel-mode", ADVICE, ("ts", "tailscale/tailscale:v1.70", "TS_USERSPACE=false", "--device /dev/net/tun"), ("ts", "tailscale/tailscale:v1.70", "TS_USERSPACE=false", "--device /dev/net/tun", "--cap-add NET_ADMIN")),
    row("tailscale-tunnel-device", ADVICE, ("ts", "tailscale/tailscale:v1.70", "TS_USERSPACE=false", "--cap-add NET_ADMIN"), ("ts", "tailscale/tailscale:v1.70", "TS_USERSPACE=false", "-v /dev/net/tun:/dev/net/tun", "--cap-add NET_ADMIN")),
    row("dns-clients-local", ADVICE, ("dns", "pihole/pihole:2025.03.0", "-p 53:53/udp"), ("dns", "pihole/pihole:2025.03.0", "-p 53:53/udp", "FTLCONF_dns_listeningMode=ALL")),
    row("dns-clients-local", ADVICE, ("dns", "pihole/pihole:2025.03.0", "-p 53:53/udp"), ("dns", "pihole/pihole:2025.03.0", "-p 53:53/udp"), files={"/etc/pihole/pihole.toml": '  listeningMode = "LOCAL"\n'}, whole_files={"/etc/pihole/pihole.toml": '  listeningMode = "ALL"\n'}),
    row("password-of-former-release", ADVICE, ("dns", "pihole/pihole:2025.03.0", "WEBPASSWORD=x"), ("dns", "pihole/pihole:2024.07.0", "WEBPASSWORD=x")),
    row("start-scripts-elsewhere", ADVICE, ("db", "postgres:16", "-v /srv/init:/docker-entrypoint-init.d"), ("db", "postgres:16", "-v /srv/init:/docker-entrypoint-initdb.d")),
    row("redis-password-unsent", ADVICE, ("app", "shop:1", "REDIS_URL=redis://redis:6379/0"), ("app", "shop:1", "REDIS_URL=redis://:s3cr3t@redis:6379/0"), REDIS),
    row("search-server-speaks-tls", ADVICE, ("kib", "kibana:8.14.0", "ELASTICSEARCH_HOSTS=http://es:9200"), ("kib", "kibana:8.14.0", "ELASTICSEARCH_HOSTS=https://es:9200"), ES),
    row("inner-engine-without-tls", WARNING, ("runner", "gitlab/gitlab-runner:v17", "DOCKER_HOST=tcp://docker:2375"), ("runner", "gitlab/gitlab-runner:v17", "DOCKER_HOST=tcp://docker:2376"), DIND),
    row("inner-engine-with-tls", WARNING, ("runner", "gitlab/gitlab-runner:v17", "DOCKER_HOST=tcp://docker:2376"), ("runner", "gitlab/gitlab-runner:v17", "DOCKER_HOST=tcp://docker:2375"), OPEN_DIND),
    row("console-without-port", WARNING, ("s3", "minio/minio:R", "-p 9001:9001/tcp", "$ server /data"), ("s3", "minio/minio:R", "-p 9001:9001/tcp", "$ server /data --console-address :9001")),
    row("broker-without-login", WARNING, ("mq", "eclipse-mosquitto:2"), ("mq", "eclipse-mosquitto:2"), files={MOSQUITTO: LISTENER}, whole_files={MOSQUITTO: f"{LISTENER}password_file /mosquitto/pw\n"}),
    row("broker-without-login", WARNING, ("mq", "eclipse-mosquitto:2"), ("mq", "eclipse-mosquitto:2"), files={MOSQUITTO: LISTENER}, whole_files={MOSQUITTO: "persistence true\n"}),
    row("tls-files-of-directory", ADVICE, ("ldap", "osixia/openldap:1.5.0", "LDAP_TLS_CRT_FILENAME=a.crt"), ("ldap", "osixia/openldap:1.5.0", "LDAP_TLS_CRT_FILENAME=a.crt", "-v /srv/c:/container/service/slapd/assets/certs")),
    row("images-undeletable", ADVICE, ("reg", "registry:2"), ("reg", "registry:2", "REGISTRY_STORAGE_DELETE_ENABLED=true"), ("ui", "joxit/docker-registry-ui:2", "DELETE_IMAGES=true")),
    row("share-without-folder", ADVICE, ("smb", "dperson/samba:latest", "-v /srv/a:/mount", "$ -s share;/data;yes"), ("smb", "dperson/samba:latest", "-v /srv/a:/mount", "$ -s share;/mount;yes")),
    row("smb-port-unpublished", ADVICE, ("smb", "dperson/samba:latest", "-p 139:139/tcp"), ("smb", "dperson/samba:latest", "-p 139:139/tcp", "-p 445:445/tcp")),
    row("passive-address-unset", ADVICE, ("ftp", "fauria/vsftpd:latest", "-p 21:21/tcp", "PASV_ADDRESS=**IPv4**"), ("ftp", "fauria/vsftpd:latest", "-p 21:21/tcp", "PASV_ADDRESS=203.0.113.5")),
    row("mail-not-enabled", ADVICE, ("gr", GRAFANA, "GF_SMTP_HOST=smtp.example.org:587"), ("gr", GRAFANA, "GF_SMTP_HOST=smtp.example.org:587", "GF_SMTP_ENABLED=true")),
    row("password-of-other-name", ADVICE, ("gr", GRAFANA, "GRAFANA_ADMIN_PASSWORD=x"), ("gr", GRAFANA, "GF_SECURITY_ADMIN_PASSWORD=x", "GRAFANA_ADMIN_PASSWORD=x")),
    row("database-of-other-name", WARNING, ("wp", "wordpress:6", "DB_HOST=db"), ("wp", "wordpress:6", "DB_HOST=db", "WORDPRESS_DB_HOST=db"), files={"/var/www/html/wp-config.php": "define( 'DB_HOST', getenv_docker('WORDPRESS_DB_HOST', 'mysql') );"}),
    row("database-of-other-name", WARNING, ("wp", "wordpress:6", "DB_HOST=db"), ("wp", "wordpress:6", "DB_HOST=db"), whole_files={"/var/www/html/wp-config.php": "define('DB_HOST', getenv('DB_HOST'));"}),
    row("languages-uninstalled", ADVICE, ("pl", "ghcr.io/paperless-ngx/paperless-ngx:2.11", "PAPERLESS_OCR_LANGUAGE=eng+tur"), ("pl", "ghcr.io/paperless-ngx/paperless-ngx:2.11", "PAPERLESS_OCR_LANGUAGE=deu+eng")),
    row("recognition-unreached", ADVICE, ("im", "ghcr.io/immich-app/immich-server:v1"), ("im", "ghcr.io/immich-app/immich-server:v1", "IMMICH_MACHINE_LEARNING_URL=http://ml:3003"), ("ml", "ghcr.io/immich-app/immich-machine-learning:v1")),
    row("vault-by-plain-http", ADVICE, ("vw", "vaultwarden/server:1", "DOMAIN=http://192.168.1.5"), ("vw", "vaultwarden/server:1", "DOMAIN=https://v.example.org")),
    row("address-without-scheme", ADVICE, ("vw", "vaultwarden/server:1", "DOMAIN=v.example.org"), ("vw", "vaultwarden/server:1", "DOMAIN=https://v.example.org")),
    row("video-without-driver", ADVICE, ("jf", "jellyfin/jellyfin:10", "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"), ("jf", "jellyfin/jellyfin:10", "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=all")),
    row("figures-of-host", ADVICE, ("tg", "telegraf:1.31", "HOST_PROC=/hostfs/proc"), ("tg", "telegraf:1.31", "HOST_PROC=/hostfs/proc"), whole_files={"/hostfs/proc": ""}),
    row("root-of-host", ADVICE, ("node", "prom/node-exporter:v1", "$ --path.rootfs=/host"), ("node", "prom/node-exporter:v1", "$ --path.rootfs=/host"), whole_files={"/host": ""}),
    row("figures-of-host", ADVICE, ("tg", "telegraf:1.31", "HOST_PROC=/hostfs/proc"), ("tg", "telegraf:1.31", "HOST_PROC=/hostfs/proc", "-v /proc:/hostfs/proc")),
    row("root-of-host", ADVICE, ("node", "prom/node-exporter:v1", "$ --path.rootfs=/host"), ("node", "prom/node-exporter:v1", "$ --path.rootfs=/host", "-v /:/host")),
    row("engine-socket-unmounted", ADVICE, ("tg", "telegraf:1.31"), ("tg", "telegraf:1.31", "-v /var/run/docker.sock:/var/run/docker.sock"), files={"/etc/telegraf/telegraf.conf": TELEGRAF}),
    row("engine-socket-unmounted", ADVICE, ("tg", "telegraf:1.31"), ("tg", "telegraf:1.31"), files={"/etc/telegraf/telegraf.conf": TELEGRAF}, whole_files={"/etc/telegraf/telegraf.conf": f"# {TELEGRAF}".replace("\n  ", "\n  # ")}),
    row("labels-unread", ADVICE, ("of", "mcuadros/ofelia:0.3", "$ daemon --docker"), ("of", "mcuadros/ofelia:0.3", "$ daemon --docker", "-v /var/run/docker.sock:/var/run/docker.sock")),
    row("radio-absent", ADVICE, ("z2", "koenkk/zigbee2mqtt:1"), ("z2", "koenkk/zigbee2mqtt:1", "--device /dev/ttyUSB0"), files={"/app/data/configuration.yaml": RADIO}),
    row("named-file-absent", ADVICE, ("app", "shop:1", "TLS_CERT_FILE=/certs/a.pem"), ("app", "shop:1", "TLS_CERT_FILE=/certs/a.pem"), whole_files={"/certs/a.pem": "x"}),
    row("named-file-absent", ADVICE, ("app", "shop:1", "TLS_CERT_FILE=/certs/a.pem"), ("app", "shop:1", "TLS_CERT_FILE=/certs/a.pem", "IMAGE=1"), whole_files={"/certs/a.pem": "x"}),
]  # fmt: skip


def _host(files: dict[str, str]) -> Made:
    def file(question: Question[object]) -> Json | Failed:
        assert isinstance(question, ReadContainerFile)
        text = files.get(question.path)
        return {"text": text, "type": "file"} if text is not None else Failed("gone", question.path)

    return Made({"api.archive": file, "api.image": {"Id": "sha256:1111", "Config": {"Env": []}}})


def _found(made_containers: list[Made_], files: dict[str, str]) -> Any:
    containers = of(*(made(*words) for words in made_containers))
    return unmet_needs(_host(files), containers, Clock(STARTED + 3600, STARTED - 3600))


NUMBERED = [f"{number}-{row[0]}" for number, row in enumerate(ROWS)]


@pytest.mark.parametrize("case", ROWS, ids=NUMBERED)
def test_a_setting_without_its_part(case: Row) -> None:
    key, severity, faulty, _, files, _ = case
    found = _found(faulty, files)
    assert [unmet.need.key for unmet in found] == [key]
    answer = judge("container.setting-incomplete", unmet_needs=found)
    assert rows(answer) == [(severity, faulty[0][0])]
    assert not re.search(r"\{[a-z_]+\}", repr(answer)), "a group without a value"


@pytest.mark.parametrize("case", ROWS, ids=NUMBERED)
def test_a_setting_with_its_part(case: Row) -> None:
    _, _, _, whole, _, files = case
    assert [unmet.need.key for unmet in _found(whole, files)] == []


def test_each_rule_has_a_row() -> None:
    assert {need.key for need in SETTING_NEEDS} == {key for key, *_ in ROWS}
    assert len({need.key for need in SETTING_NEEDS}) == len(SETTING_NEEDS)


def test_a_file_that_cannot_be_read_is_no_fault() -> None:
    app = made("app", "shop:1", "TLS_CERT_FILE=/certs/a.pem")
    image: Json = {"Id": "sha256:1111", "Config": {"Env": []}}
    host = Made({"api.archive": Failed("forbidden", ""), "api.image": image})
    assert not unmet_needs(host, of(app), Clock(STARTED + 3600, STARTED - 3600)).items


def test_a_program_that_has_just_started_may_still_make_its_files() -> None:
    app = made("app", "shop:1", "TLS_CERT_FILE=/certs/a.pem")
    assert not unmet_needs(_host({}), of(app), Clock(STARTED + 2, STARTED - 3600)).items


def test_what_is_in_memory_is_not_seen() -> None:
    """The engine shows neither /dev nor a tmpfs when it is asked for a file of a container."""
    app = made("app", "shop:1", "TLS_CERT_FILE=/secrets/a.pem")
    options = msgspec.structs.replace(app.host_config, tmpfs={"/secrets": ""})
    in_memory = msgspec.structs.replace(app, host_config=options)
    clock = Clock(STARTED + 3600, STARTED - 3600)
    assert unmet_needs(_host({}), of(app), clock).items
    assert not unmet_needs(_host({}), of(in_memory), clock).items


def test_a_variable_of_several_programs_is_meant_for_one_of_them() -> None:
    """A file of variables (`env_file`) is given to all services of a project."""
    variable = "TLS_CERT_FILE=/certs/a.pem"
    assert not _found([("app", "shop:1", variable), ("jobs", "shop:1", variable)], {}).items


def _patterns(part: Any) -> Iterator[tuple[str, bool]]:
    """The patterns of a part, with any word in the place of a group, and whether it is the whole
    text that has to match."""
    for field in ("name", "value", "place", "pattern", "image"):
        text = getattr(part, field, "")
        if text:
            is_whole = field in ("name", "value", "place")
            yield re.sub(r"\{[a-z_]{2,20}\}", "word", text), is_whole
    inner = getattr(part, "part", None)
    for child in (*getattr(part, "parts", ()), *(() if inner is None else (inner,))):
        yield from _patterns(child)


PATTERNS = sorted(
    {
        pattern
        for need in SETTING_NEEDS
        for part in (*need.given, *need.lacks)
        for pattern in _patterns(part)
    }
)


@pytest.mark.parametrize(("pattern", "is_whole"), PATTERNS)
def test_a_pattern_takes_no_time_on_its_worst_texts(pattern: str, is_whole: bool) -> None:
    """A setting is cut at 2,000 letters, and a file at 32 KiB."""
    compiled = re.compile(pattern)
    is_of_file = "(?m)" in pattern or "overwrite" in pattern or "DB_HOST" in pattern
    longest = 32768 if is_of_file else 2000
    run = compiled.fullmatch if is_whole else compiled.search
    for worst in worst_texts(compiled, tries=1):
        assert spent(run, worst.text(longest), 2) < SLOWEST_S
