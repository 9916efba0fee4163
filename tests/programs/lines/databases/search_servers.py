"""Lines of real logs for the rows of `diagnose/programs/failures/databases/search_servers.py`."""

from __future__ import annotations

LINES = {
    "search-checks-unlisted": "ERROR: [1] bootstrap checks failed",
    "search-shard-damaged": (
        "Panic occurred in file /qdrant/lib/collection/src/shards/replica_set/mod.rs at line 280: Failed to load local shard "
        '"./storage/collections/open_ai_comments_final/0": Service internal error: Json error: EOF while parsing a value'
    ),
    "search-licence": (
        "security_exception: current license is non-compliant for [security]'. Retrying attempt 8 in 64 seconds."
    ),
    "kibana-superuser": '[config validation of [elasticsearch].username]: value of "elastic" is forbidden. This is a superuser account',
    "search-transport": (
        "java.lang.IllegalStateException: security initialization failed: Transport SSL must be enabled if security is enabled on a [basic] license."
    ),
    "search-keystore": (
        "failed to load SSL configuration [xpack.security.transport.ssl] - cannot read configured [PKCS12] keystore (as a truststore) [/usr/share/elasticsearch/config/certs/elastic-certificates.p12]"
    ),
    "search-other-cluster": (
        "join validation on cluster state with a different cluster uuid Kx2aBcD3 than local cluster uuid Pq7rStU1, rejecting"
    ),
    "search-unrecovered": (
        "ClusterBlockException: blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];"
    ),
    "solr-configuration": (
        "org.apache.solr.common.SolrException: Could not load conf for core shop: Error loading solr config from solrconfig.xml"
    ),
}
