"""Known failures of Elasticsearch, OpenSearch and Solr: their start, their clusters and their
index."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Assigned

SEARCH_SERVERS = (
    Failure(
        name="kibana-superuser",
        mark='"elastic" is forbidden',
        pattern=r'\[elasticsearch\]\.username\]: value of "elastic" is forbidden',
        cause="Kibana does not log in to Elasticsearch as the superuser elastic from version 8 on",
        cure="set ELASTICSEARCH_USERNAME to kibana_system, and ELASTICSEARCH_PASSWORD to the password that "
        "elasticsearch-reset-password -u kibana_system prints in Elasticsearch's container",
        source="Kibana's own message",
        remedy=Assigned(("ELASTICSEARCH_USERNAME",), "kibana_system"),
    ),
    Failure(
        name="search-licence",
        mark=("license is non-compliant", "due to expired license"),
        pattern=r"\bcurrent license is non-compliant for \[|\boperation due to expired license\b",
        cause="the licence of Elasticsearch has expired (a trial lasts 30 days), and it refuses what that allowed",
        cure="start the basic licence, which is free: POST /_license/start_basic?acknowledge=true",
        source="Elasticsearch documentation, license settings",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="search-transport",
        mark="transport ssl must be enabled",
        pattern=r"Transport SSL must be enabled (?:if|for) ",
        cause="Elasticsearch has its security on, and that needs TLS between its nodes, which is off",
        cure="for a single node set discovery.type=single-node; otherwise give it certificates and "
        "xpack.security.transport.ssl.enabled=true",
        source="Elasticsearch's own message",
    ),
    Failure(
        name="search-keystore",
        mark="cannot read configured",
        pattern=r"cannot read configured \[?PKCS12\]? keystore.{0,40} \[(?P<file>/[^\]]{1,200})\]",
        cause="Elasticsearch cannot open the keystore {file}: the file is not readable for it, "
        "or its password differs from that in its settings",
        cure="give the file to user 1000, and put its password into the keystore of Elasticsearch: elasticsearch-keystore add "
        "xpack.security.transport.ssl.keystore.secure_password",
        source="Elasticsearch's own message",
    ),
    Failure(
        name="search-other-cluster",
        mark="different cluster uuid",
        pattern=r"a different cluster uuid (?P<program>[\w-]{1,40}) than local cluster uuid (?P<data>[\w-]{1,40})",
        cause="the data of this node belong to the cluster {data}, and the node that it should "
        "join is of {program}",
        cure="give it the volume of that cluster; only where its own data are not needed, empty its data folder",
        source="Elasticsearch's own message",
        turns_away=True,
        look="data",
    ),
    Failure(
        name="search-unrecovered",
        mark="state not recovered",
        pattern=r"SERVICE_UNAVAILABLE/1/state not recovered",
        cause="Elasticsearch or OpenSearch has not read the state of its cluster yet: it is starting, or it has found too few "
        "of its nodes",
        cure="wait until its log says that the cluster has recovered its indices; then start the other nodes, or set "
        "discovery.type=single-node for one alone",
        source="Elasticsearch's own message",
        may_pass=True,
    ),
    Failure(
        name="solr-configuration",
        mark="could not load conf for core",
        pattern=r"Could not load conf for core (?P<core>[\w-]{1,80})",
        cause="the core {core} of Solr has no configuration that it can read: solrconfig.xml or the schema is missing or has "
        "a mistake",
        cure="make the core with the image's solr-precreate, or put its folder conf there",
        source="Solr's own message",
        look="data",
    ),
    Failure(
        name="search-checks-unlisted",
        mark="bootstrap checks failed",
        pattern=r"\[\d{1,2}\] bootstrap checks failed\b",
        cause="Elasticsearch does not start where the limits of the host are too low for it, and the log does not show "
        "which: vm.max_map_count, the open files, or memory that may not be locked",
        cure="set vm.max_map_count=262144 on the host (sysctl -w), --ulimit=nofile=65536:65536 and "
        "--ulimit=memlock=-1:-1; a single node for tests needs discovery.type=single-node",
        source="Elasticsearch documentation, bootstrap checks",
        confirmed_by="container.kernel-setting-low",
        needs=("vm.max_map_count", "262144"),
        follows=True,
    ),
    Failure(
        name="search-shard-damaged",
        mark="failed to load local shard",
        pattern=r"\bFailed to load local shard \"(?P<folder>[^\"\n]{1,200})\": [^\n]{0,60}(?:EOF while parsing|Json error)",
        cause="a file in {folder} is damaged: it is empty or cut off, as after a full disk or a power loss",
        cure="copy the storage folder, then restore a snapshot, or move the folder of that collection out of it",
        source="Qdrant's own message",
        look="data",
    ),
)
