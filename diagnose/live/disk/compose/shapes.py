"""The grammar of compose files: the keys of each part, and the kinds of their values. Pure.

The kinds: m a mapping, l a list, s a string, n a number, b true or false, 0 nothing. A key without
kinds is allowed, and its value is not examined. Source: compose 2.40.
"""

from collections.abc import Mapping

from diagnose.mappings import assignments

LATEST = (2, 40)
"""The version of compose whose keys these are; a newer one may know more."""
NEW_KEYS: Mapping[str, tuple[int, int]] = {
    "services.*.annotations": (2, 16),
    "services.*.attach": (2, 20),
    "services.*.develop": (2, 22),
    "services.*.gpus": (2, 30),
    "services.*.label_file": (2, 32),
    "services.*.models": (2, 38),
    "services.*.post_start": (2, 30),
    "services.*.pre_stop": (2, 30),
    "services.*.provider": (2, 36),
    "services.*.use_api_socket": (2, 38),
    "services.*.healthcheck.start_interval": (2, 20),
    "services.*.build.entitlements": (2, 27),
    "services.*.build.provenance": (2, 39),
    "services.*.build.sbom": (2, 39),
    "configs.*.content": (2, 23),
    "configs.*.environment": (2, 23),
    "include": (2, 20),
    "models": (2, 38),
}
"""Keys with the first version of compose that takes them."""


def _shape(text: str) -> dict[str, str]:
    """key or key:kinds, as words."""
    return assignments(text.split(), ":")


SHAPES: Mapping[str, Mapping[str, str]] = {
    "": _shape(
        "configs:m0 include:l0 models:m name:sn networks:m0 secrets:m0 services:m version volumes:m0"
    ),
    "services.*": _shape(
        "annotations:ml attach:bs blkio_config:m build:ms cap_add:l cap_drop:l cgroup:s"
        " cgroup_parent:s command:sl0 configs:l container_name:s cpu_count cpu_percent cpu_period"
        " cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset:s credential_spec:m"
        " depends_on:ml deploy:m0 develop:m0 device_cgroup_rules:l devices:l dns:sl dns_opt:l"
        " dns_search:sl domainname:s entrypoint:sl0 env_file:sl environment:ml expose:l extends:ms"
        " external_links:l extra_hosts:ml gpus:sl group_add:l healthcheck:m hostname:s image:s"
        " init ipc:s isolation:s label_file:sl labels:ml links:l logging:m mac_address:s mem_limit"
        " mem_reservation mem_swappiness memswap_limit models:ml network_mode:s networks:ml"
        " oom_kill_disable oom_score_adj pid pids_limit platform:s ports:l post_start:l pre_stop:l"
        " privileged profiles:l provider:m pull_policy:s pull_refresh_after:s read_only restart:s"
        " runtime:s scale secrets:l security_opt:l shm_size stdin_open stop_grace_period:s"
        " stop_signal:s storage_opt:m sysctls:ml tmpfs:sl tty ulimits:m use_api_socket user:s"
        " userns_mode:s uts:s volumes:l volumes_from:l working_dir:s"
    ),
    "services.*.build": _shape(
        "additional_contexts:ml args:ml cache_from:l cache_to:l context:s dockerfile:s"
        " dockerfile_inline:s entitlements:l extra_hosts:ml isolation:s labels:ml network:s"
        " no_cache platforms:l privileged provenance pull sbom secrets:l shm_size ssh:mls tags:l"
        " target:s ulimits:m"
    ),
    "services.*.deploy": _shape(
        "endpoint_mode:s labels:ml mode:s placement:m replicas resources:m restart_policy:m"
        " rollback_config:m update_config:m"
    ),
    "services.*.deploy.resources": _shape("limits:m reservations:m"),
    "services.*.healthcheck": _shape(
        "disable interval:s retries start_interval:s start_period:s test:sl timeout:s"
    ),
    "services.*.logging": _shape("driver:s options:m0"),
    "services.*.networks.*": _shape(
        "aliases:l driver_opts:m gw_priority interface_name:s ipv4_address:s ipv6_address:s"
        " link_local_ips:l mac_address:s priority"
    ),
    "services.*.depends_on.*": _shape("condition:s required restart"),
    "networks.*": _shape(
        "attachable driver:s driver_opts:m enable_ipv4 enable_ipv6 external internal ipam:m"
        " labels:ml name:s"
    ),
    "networks.*.ipam": _shape("config:l driver:s options:m"),
    "volumes.*": _shape("driver:s driver_opts:m external labels:ml name:s"),
    "secrets.*": _shape(
        "driver:s driver_opts:m environment:s external file:s labels:ml name:s template_driver:s"
    ),
    "configs.*": _shape(
        "content:s environment:s external file:s labels:ml name:s template_driver:s"
    ),
}
"""The keys of the file itself, and of each kind of part, by its place."""
STRINGS = ("environment", "labels", "extra_hosts", "sysctls")
"""Lists whose entries are words, and no mappings."""
CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
