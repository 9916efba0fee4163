"""Known failures of etcd and Consul: their lists of members, their keys and their numbers."""

from diagnose.programs.failures.recognition import Failure

AGENTS = (
    Failure(
        name="etcd-members-differ",
        mark=("member count is unequal", "unmatched member while checking peerurls"),
        pattern=r"\bmember count is unequal\b|\bunmatched member while checking PeerURLs\b",
        cause="the members in ETCD_INITIAL_CLUSTER are not those that the running cluster of etcd has",
        cure="on a member that runs: etcdctl member list shows what it has, and etcdctl member add tells it of this one; then "
        "write the same members with the same addresses into ETCD_INITIAL_CLUSTER",
        source="etcd documentation, runtime reconfiguration",
        look="addresses",
    ),
    Failure(
        name="etcd-own-address",
        mark="missing from --initial-advertise-peer-urls",
        pattern=r"--initial-cluster has (?P<listed>[\w=:/.,-]{1,300}) but missing from "
        r"--initial-advertise-peer-urls=(?P<own>[\w:/.,-]{1,200})",
        cause="etcd's own address is {own} in one setting, and the list of members has {listed}",
        cure="write the same address into ETCD_INITIAL_ADVERTISE_PEER_URLS and into ETCD_INITIAL_CLUSTER",
        source="etcd's own message",
    ),
    Failure(
        name="etcd-other-cluster",
        mark="cluster id mismatch",
        pattern=r"\b(?:request )?cluster ID mismatch\b",
        cause="a member of another cluster of etcd calls this one: one of them begins with a new cluster, and the others have the "
        "old data",
        cure="remove the member that has lost its data from the cluster (etcdctl member remove), empty its folder, and add it "
        "again",
        source="etcd documentation, runtime reconfiguration",
        turns_away=True,
        look="data",
    ),
    Failure(
        name="consul-data-folder",
        mark="data_dir",
        pattern=r"\bNo data_dir provided\b|\bdata_dir cannot be empty\b",
        cause="Consul is given no folder for its data, which each agent but one of -dev has",
        cure="add -data-dir=/consul/data to its command, and mount a volume there",
        source="Consul's own message",
    ),
    Failure(
        name="consul-same-number",
        mark="conflicting node id",
        pattern=r"Member '(?P<node>[\w.-]{1,100})' has conflicting node ID '(?P<number>[\w-]{1,60})' with member "
        r"'(?P<other>[\w.-]{1,100})'",
        cause="the nodes {node} and {other} of Consul have the same number {number}: the data folder of one is a copy of the "
        "other's",
        cure="remove the file node-id in the data folder of the newer one, and start it again",
        source="Consul's own message",
        look="data",
    ),
    Failure(
        name="consul-key",
        mark="encrypt has invalid key",
        pattern=r"\bEncrypt has invalid key\b",
        cause="the key in Consul's setting encrypt is not 32 bytes in base64",
        cure="make one with consul keygen, and give all agents of the cluster the same",
        source="Consul documentation, gossip encryption",
        look="secrets",
    ),
    Failure(
        name="consul-too-old",
        mark="server_rejoin_age_max",
        pattern=r"has been offline for more than the configured server_rejoin_age_max \((?P<age>\w{1,20})\)",
        cause="this server of Consul was down for more than {age}, after which it does not join with its old data",
        cure="where other servers run, empty its data folder: it gets the data from them; where it is alone, remove "
        "server_metadata.json there, or raise server_rejoin_age_max",
        source="Consul's own message",
        look="data",
    ),
)
