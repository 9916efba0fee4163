"""daemon.bridge-init-failed: the engine gives up at its networks."""

import json
import re

import msgspec

from checks.daemon.starting.lost_modules import lost_modules_finding
from diagnose.evidence.engine.config import DEFAULT_PATH, DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.starting.end_meaning import NETWORK
from diagnose.evidence.engine.starting.failed_start import FailedStart, failed_start, page_variables
from diagnose.evidence.machine.modules import Modules
from diagnose.evidence.network.addresses import private_prefix6
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.subnets.described_routes import DescribedRoutes
from diagnose.evidence.network.subnets.subnet_stock import pools_of, stock_before_networks
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Unavailable
from diagnose.model.subjects import DAEMON, Subject
from diagnose.phrases import joined, sentence
from diagnose.registry import check

DATABASE = LazyPattern(r"invalid database|kmap|bolt")
RULES = LazyPattern(r"ip6?tables|nft|ipset|modprobe|insmod", re.IGNORECASE)
LEGACY = LazyPattern(
    r"Module ip6?_?tables? not found|iptables v\S+ \(legacy\): can't initialize iptables table"
)
"""The legacy program on a kernel without the modules that it needs; nft's has its own in it."""
POOLS = "default-address-pools"
ADDRESS_KEYS = ("bip", "bip6", "fixed-cidr", "fixed-cidr-v6", POOLS)
_POOL_SIZE = 24
_NO_SUCH_BRIDGE = "must be created manually"
"""The end of the engine's words about a `bridge` that is not on the host."""
_NOT_SET_UP = "the engine does not start, because its networks cannot be set up"


@check(
    "daemon.bridge-init-failed",
    severity=Severity.critical,
    caused_by=[
        "daemon.config-invalid",
        "network.subnet-overlaps-route",
        "kernel.modules-gone",
        "firewall.forwarding-off",
    ],
)
def bridge_init_failed(
    daemon: Daemon,
    log: DaemonLog | Unavailable,
    config: DaemonConfig | None,
    root: DataRoot | None,
    modules: Modules | None,
    routes: Routes | None,
    links: Interfaces | None,
    tunnels: Tunnels | None,
) -> CheckResult:
    """The engine does not start because its networks cannot be set up.

    An address that is none, pools that all overlap with routes, IPv6 without a subnet, firewall
    commands that fail or are not there, kernel modules that cannot be loaded since the kernel was
    upgraded and the host not rebooted, a record of the networks that a full disk or a power cut has
    torn: the line says which.
    """
    start = failed_start(daemon, log, NETWORK)
    if not isinstance(start, FailedStart):
        return start
    if modules is not None and modules.explain(start.line.text):
        yield lost_modules_finding(start, modules, _NOT_SET_UP)
        return None
    start = _with_kernel_cause(start, modules)
    detail = re.sub(r"^.*?network controller: ", "", start.error)
    cause = start.known.cause if start.known else detail
    taken_pools = _TakenPools(by="", evidence={}, variables={})
    if start.is_known_as("no-pool") and routes is not None and links is not None:
        taken_pools = _taken_pools(config, DescribedRoutes(routes, links, tunnels, Networks(())))
    yield Finding(
        subject=DAEMON,
        summary=sentence(f"{_NOT_SET_UP}: {cause}", taken_pools.by),
        evidence={**start.evidence, **_addresses(config), **taken_pools.evidence},
        variables=(
            start.variables
            | _network_variables(start, detail, config, root)
            | taken_pools.variables
        ),
        touches=(Subject("interface", "docker0"), Subject("network", DEFAULT_NETWORK)),
    )


def _with_kernel_cause(start: FailedStart, modules: Modules | None) -> FailedStart:
    """The start, with another cause where no upgrade has taken the modules of the running kernel.

    A reboot does not help if this kernel was built without the modules, or no other one is
    installed. An upgrade may have left parts of the folder, such as the modules of DKMS: then
    another kernel helps.
    """
    are_gone = modules is None or modules.are_gone
    if start.known is None or are_gone or not LEGACY.search(start.line.text):
        return start
    failure = msgspec.structs.replace(
        start.known.failure,
        cause="iptables is its legacy variant, whose modules this kernel cannot find",
        cure="switch to the nf_tables variant of iptables, or boot a kernel with those modules",
    )
    return msgspec.structs.replace(
        start, known=msgspec.structs.replace(start.known, failure=failure)
    )


def _addresses(config: DaemonConfig | None) -> dict[str, Json]:
    """The configured addresses and pools, as evidence."""
    if config is None:
        return {}
    return {
        f"{config.where(key)} {key}": config.value(key)
        for key in ADDRESS_KEYS
        if config.value(key) is not None
    }


class _TakenPools(msgspec.Struct, frozen=True):
    """The interfaces, routes or networks that take the engine's address pools."""

    by: str
    evidence: dict[str, Json]
    variables: dict[str, str]


def _taken_pools(config: DaemonConfig | None, routes: DescribedRoutes) -> _TakenPools:
    """The host's routes that leave the engine no subnet, and a range that none of them overlaps."""
    pools = pools_of(config.value(POOLS) if config is not None else None)
    blocking = stock_before_networks(pools, routes.routes).blocking
    described = [routes.describe(route) for route in blocking]
    setting = {POOLS: [{"base": routes.free_pool, "size": _POOL_SIZE}]}
    return _TakenPools(
        by=f"these routes take them: {joined(described[:3])}" if described else "",
        evidence={"routes of this host that overlap": described[:10]},
        variables={"setting_json": json.dumps(setting)},
    )


def _network_variables(
    start: FailedStart, detail: str, config: DaemonConfig | None, root: DataRoot | None
) -> PageVariables:
    """The page variables for a start that failed at the default network.

    detail: the end of the line, behind the step that failed.
    """
    if start.is_known_as("ipv6-without-subnet"):
        setting = {"fixed-cidr-v6": private_prefix6(DEFAULT_NETWORK)}
        return {"setting_json": json.dumps(setting)}
    variables: dict[str, str] = {}
    if start.known is not None:
        variables = page_variables(start.known, root)
    elif DATABASE.search(detail) and root is not None:
        variables["database"] = f"{root.path}/network/files/local-kv.db"
    if LEGACY.search(start.line.text):
        return {**variables, "backend": "/usr/sbin/iptables-nft"}
    if variables or RULES.search(detail):
        return variables
    if config is None:
        return {"path": DEFAULT_PATH}
    if _NO_SUCH_BRIDGE in start.line.text and config.in_file("bridge") is not None:
        return {"path": config.path, "key": "bridge"}
    keys = [key for key in ADDRESS_KEYS if config.in_file(key) is not None]
    return present({"path": config.path, "key": only(keys)})
