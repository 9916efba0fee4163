"""Lines of real logs for the rows of `diagnose/programs/failures/databases/agents.py`."""

from __future__ import annotations

LINES = {
    "etcd-members-differ": (
        '{"level":"fatal","msg":"discovery failed","error":"error validating peerURLs {ClusterID:cdf8 Members:[&{ID:8e9e}]}: member count is unequal"}'
    ),
    "etcd-own-address": (
        '"msg":"discovery failed","error":"--initial-cluster has etcd1=http://etcd1:2380 but missing from --initial-advertise-peer-urls=http://10.0.0.1:2380"'
    ),
    "etcd-other-cluster": "rafthttp: request cluster ID mismatch (got 9b2b2b2b want 7c7c7c7c)",
    "consul-data-folder": ("==> No data_dir provided"),
    "consul-same-number": (
        "[WARN]  agent.server.serf.lan: serf: Member 'web' has conflicting node ID '0f1c9e2a-7b1d' with member 'db'"
    ),
    "consul-key": ("==> Encrypt has invalid key: illegal base64 data at input byte 0"),
    "consul-too-old": (
        "Refusing to rejoin cluster because server has been offline for more than the configured server_rejoin_age_max (168h0m0s) - consider wiping your data dir"
    ),
}
