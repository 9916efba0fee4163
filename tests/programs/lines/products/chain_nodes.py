"""Lines of real logs for the rows of `diagnose/programs/failures/products/chain_nodes.py`."""

from __future__ import annotations

LINES = {
    "genesis-other": (
        "Fatal: Failed to write genesis block: database contains incompatible genesis (have 7df41d55d1dc, new ae64019e7853)"
    ),
    "chain-database-newer": (
        "Fatal: Failed to register the Ethereum service: database version is v9, Geth 1.13.4-stable only supports v8"
    ),
    "chain-folder-missing": (
        "2021-01-08 10:34:20 ERROR: Error while attempting to lock directory /bitcoin/.bitcoin: No such file or directory"
    ),
    "chain-consensus-unknown": "panic: Error retrieving consenter of type: pbft",
}
