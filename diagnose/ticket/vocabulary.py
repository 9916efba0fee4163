"""Words that mean something to the tool, to engines or to every host.

A name that is one of them tells nobody whose host it is.
"""

import ast
import functools
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Iterator
from importlib.abc import InspectLoader

from diagnose import packs
from diagnose.word_sets import vocabulary

WORD = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_PATTERN = re.compile(r"\(\?|\\[a-zA-Z.\[(]|\[\^?[\w-]|[*+?]\)|\|")
"""A text that is read as a pattern: its words are looked for in answers."""
_ANNOTATIONS = frozenset({"annotation", "returns"})
"""Fields of Python's syntax tree."""
_HOSTS = vocabulary(
    "root nobody nogroup daemon bin sys adm docker dockerd containerd runc podman systemd kernel "
    "localhost localdomain "
    "ubuntu debian ec2-user admin vagrant www-data nginx postgres mysql redis http https tcp udp "
    "icmp unix ssh local lan "
    "internal intranet corp home private test example invalid search domain nameserver options "
    "ndots timeout attempts "
    "bridge host none default ingress docker_gwbridge docker0 lo eth0 eth1 accept drop reject "
    "return log input output "
    "forward prerouting postrouting nat filter mangle raw policy dport sport www mail smtp ntp dns "
    "ns1 ns2 registry proxy "
    "sh bash python python3 java node go app latest stable main master true false null error info "
    "warn warning debug fatal "
    "var lib etc usr run tmp opt srv proc dev mnt media boot snap share log logs data config conf"
)
OFFICIAL = vocabulary(
    "library alpine amazonlinux bash busybox caddy centos consul couchbase couchdb debian docker "
    "drupal elasticsearch "
    "fedora ghost gitea golang gradle grafana haproxy hello-world httpd influxdb jenkins joomla "
    "kibana kong logstash "
    "mariadb matomo maven memcached mongo mysql nats neo4j nextcloud nginx node openjdk "
    "oraclelinux perl photon php "
    "phpmyadmin postgres prometheus python rabbitmq redis registry rockylinux ruby rust scratch "
    "sonarqube swift telegraf "
    "tomcat traefik ubuntu vault wordpress zookeeper"
)
"""Images of everybody: their names say nothing of the owner, and much to whoever helps."""
PUBLIC = vocabulary(
    "docker.io docker.com ghcr.io quay.io gcr.io pkg.dev k8s.io github.com gitlab.com "
    "githubusercontent.com amazonaws.com "
    "azurecr.io azure.com windows.net microsoft.com google.com googleapis.com debian.org "
    "ubuntu.com redhat.com "
    "fedoraproject.org alpinelinux.org opencontainers.org mobyproject.org kernel.org in-addr.arpa "
    "ip6.arpa example.com "
    "example.org example.net golang.org go.dev pool.ntp.org kubernetes.io containerd.io "
    "buildpacks.io docker.dev moby.dev"
)
"""Domains of everybody, registries first."""


@functools.cache
def known_words() -> frozenset[str]:
    """The words that the loaded packs and our own evidence look for in answers.

    Read from the texts in their source, together with what all hosts share.
    """
    words: set[str] = set()
    for module in _modules():
        spec = importlib.util.find_spec(module)
        loader = spec.loader if spec is not None else None
        source = loader.get_source(module) if isinstance(loader, InspectLoader) else None
        for text in texts_in(source or ""):
            if len(text) < 80 and (not re.search(r"\s", text.strip()) or _PATTERN.search(text)):
                words.update(WORD.findall(text))
    return frozenset(words | _HOSTS)


def _modules() -> list[str]:
    """The packages that judge answers, those of other packs included."""
    own_packages = ("diagnose.evidence", "diagnose.firewall", "diagnose.first_steps")
    roots = (*own_packages, *packs.packs().values())
    return ["diagnose.error_signatures", *(name for root in roots for name in _modules_below(root))]


def _modules_below(package: str) -> Iterator[str]:
    yield package
    paths = getattr(sys.modules.get(package), "__path__", [])
    for module in pkgutil.walk_packages(paths, f"{package}."):
        yield module.name


def texts_in(source: str) -> Iterator[str]:
    """The texts that a module compares and searches with.

    No names: a network called as one of our parameters is a name of its owner all the same. So
    annotations do not count, nor docstrings.
    """
    nodes: list[ast.AST] = [ast.parse(source)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.value
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            nodes += _children(node)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for field in node._fields:
        child = getattr(node, field) if field not in _ANNOTATIONS else None
        if isinstance(child, list):
            yield from (member for member in child if isinstance(member, ast.AST))
        elif isinstance(child, ast.AST):
            yield child
