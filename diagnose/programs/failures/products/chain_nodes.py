"""Nodes of block chains: data of another chain, missing folders, parts of another build."""

from diagnose.programs.failures.recognition import Failure

CHAIN_NODES = (
    Failure(
        name="genesis-other",
        mark="incompatible genesis",
        pattern=r"\bdatabase (?:already )?contains (?:an )?incompatible genesis\b",
        cause="the data folder holds another chain: it was made with another genesis block than the one that the node is "
        "given now",
        cure="give it the genesis file and the network of that chain; or set the folder aside, so that the node fetches "
        "the chain again: keys in keystore have to be kept",
        source="OffchainLabs/eth-pos-devnet#26",
        look="data",
    ),
    Failure(
        name="chain-database-newer",
        mark="geth",
        pattern=r"\bdatabase version is v(?P<data>\d{1,4}), Geth (?P<own>[\w.-]{1,40}) only supports v\d",
        cause="the data folder was written by a newer Geth than {own}, which cannot read it",
        cure="run the image that wrote it again, or a newer one",
        source="Geth's own message",
        build="newer",
        look="builds",
    ),
    Failure(
        name="chain-folder-missing",
        mark="no such file",
        pattern=r"\bError while attempting to lock directory (?P<folder>/[\w./-]{1,200}): No such file or directory"
        r"|\bCannot obtain a lock on data directory (?P<folder_older>/[\w./-]{1,200})\. [^\n]{0,80}No such file or directory",
        cause="the node's data folder {folder} does not exist, and no other node holds it, whatever the next line says",
        cure="make the folder in what is mounted there, for the node's user; or mount the data at {folder}",
        source="kylemanna/docker-bitcoind#68",
        look="data",
    ),
    Failure(
        name="chain-consensus-unknown",
        mark="consenter of type",
        pattern=r"\bError retrieving consenter of type: (?P<kind>[\w-]{1,40})",
        cause="the channel's configuration names the ordering service {kind}, which this build of the orderer does not "
        "have",
        cure="run the build that has it, or make the genesis block with an OrdererType of this release",
        source="Hyperledger Fabric's own message",
        build="another",
    ),
)
"""In the order in which a line is compared with them."""
