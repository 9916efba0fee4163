"""Lines of real logs for the rows of `diagnose/programs/failures/databases/metric_stores.py`."""

from __future__ import annotations

LINES = {
    "prometheus-blocks": (
        'err="opening storage failed: found unsequential head chunk files /prometheus/chunks_head/000012 (index: 12) and /prometheus/chunks_head/000014 (index: 14)"'
    ),
    "grafana-folder": (
        "Error: ✗ *provisioning.ProvisioningServiceImpl run error: Failed to provision dashboards: failed to provision config Shop: A folder with that name already exists"
    ),
    "grafana-plugin-version": ("Error: ✗ plugin grafana-oncall-app requires Grafana >=10.0.0"),
    "influx-locked": ("Error: open /var/lib/influxdb2/influxd.bolt: timeout"),
    "clickhouse-parts": (
        "Code: 252. DB::Exception: Too many parts (300). Merges are processing significantly slower than inserts. (TOO_MANY_PARTS)"
    ),
    "clickhouse-read-only": (
        "Code: 242. DB::Exception: Table is in readonly mode (replica path: /clickhouse/tables/1/replicas/1). (TABLE_IS_READ_ONLY)"
    ),
}
