"""The nftables rule set of this process's network namespace, read and never changed."""

import itertools
import sys
from collections import Counter
from collections.abc import Callable

from pyroute2.netlink import nlmsg
from pyroute2.netlink.nfnetlink import nftsocket as nft

from diagnose.live import Refused
from diagnose.live.kernel.modules import is_loaded
from diagnose.live.network.messages import NFT
from diagnose.live.network.netlink import Attributes, Row, dump_request, netfilter_socket, request
from diagnose.model import Json

MAX_ELEMENTS = 20_000
"""Elements read of one set: block lists may hold a million, and a longer one is marked as cut."""

MAX_ELEMENTS_IN_ALL = 40_000
"""Elements read of all sets together, so that the dump stays within the question's deadline."""

ATTEMPTS = 3
"""A dump that another program's change interrupted is begun again this many times."""

_FAMILIES = {
    nft.NFPROTO_INET: "inet",
    nft.NFPROTO_IPV4: "ip",
    nft.NFPROTO_ARP: "arp",
    nft.NFPROTO_NETDEV: "netdev",
    nft.NFPROTO_BRIDGE: "bridge",
    nft.NFPROTO_IPV6: "ip6",
}
"""The families of tables as nft writes them, by the kernel's number."""
_FAMILY_NUMBERS = {name: number for number, name in _FAMILIES.items()}


def rule_set(_args: Json) -> Row:
    """Every table, chain, rule, set and element of all families, as the kernel holds them.

    Shape: `{"loaded", "byteorder", "generation", "consistent", "tables", "chains", "rules",
    "sets"}`; a rule's `expressions` are its netlink expressions in order, numbers as numbers,
    register data as hexadecimal text, `{"code", "chain"}` where it is a verdict. `loaded` is false,
    and the lists are empty, when nf_tables is not in the kernel: a look must not load it.
    `consistent` is false when the rule set kept changing while it was read. Raises
    Refused("forbidden") without CAP_NET_ADMIN, OSError.
    """
    answer = _answer(loaded=is_loaded("nf_tables"))
    if not answer["loaded"]:
        return answer | {"consistent": True}
    for _ in range(ATTEMPTS):
        try:
            answer = _read()
        except InterruptedError:
            continue
        except PermissionError as error:
            raise Refused(
                "forbidden", "the packet filter may be read by root only (CAP_NET_ADMIN)"
            ) from error
        if answer["consistent"]:
            break
    return answer


def counters(args: Json) -> list[Row]:
    """How many packets the rules of some chains have matched.

    args: chains, rows of family, table and name. Shape: rows of `ChainCounters`. Raises
    Refused("forbidden") without CAP_NET_ADMIN.
    """
    counters_by_chain: dict[tuple[str, ...], list[int | None]] = {
        tuple(row): [] for row in args["chains"]
    }
    try:
        for family in sorted({family for family, _, _ in counters_by_chain}):
            for rule in _dump(nft.NFT_MSG_GETRULE, nft.nft_rule_msg, _rule, family):
                counts = counters_by_chain.get((family, rule["table"], rule["chain"]))
                if counts is not None:
                    counts.append(_packets_of(rule))
    except PermissionError as error:
        raise Refused(
            "forbidden", "the packet filter may be read by root only (CAP_NET_ADMIN)"
        ) from error
    return [
        {"family": family, "table": table, "chain": chain, "packets": packets}
        for (family, table, chain), packets in counters_by_chain.items()
    ]


def _packets_of(rule: Row) -> int | None:
    """The packets that the last counter of a rule has counted; None where it has none."""
    packets = [
        int(expression.get("packets", 0))
        for expression in rule.get("expressions", ())
        if expression.get("name") == "counter"
    ]
    return packets[-1] if packets else None


def rules_by_chain(family: str, table: str) -> dict[str, int]:
    """How many rules each chain of a table has."""
    every_rule = dump_request(
        NFT | nft.NFT_MSG_GETRULE, nft.nft_rule_msg(), nfgen_family=_FAMILY_NUMBERS[family]
    )
    with netfilter_socket(whole_rules=False) as kernel:
        rules = [_rule(answer) for answer in kernel.dump(every_rule)]
    return dict(Counter(rule["chain"] for rule in rules if rule["table"] == table))


def _answer(
    *, loaded: bool, generation: int = 0, consistent: bool = False, **lists: list[Row]
) -> Row:
    """The whole answer, with empty lists for what was not read."""
    return {
        "loaded": loaded,
        "byteorder": sys.byteorder,
        "generation": generation,
        "consistent": consistent,
        "tables": [],
        "chains": [],
        "rules": [],
        "sets": [],
    } | lists


def _read() -> Row:
    """All tables, chains, rules and sets, and whether they changed while they were read."""
    before = _generation()
    tables = _dump(nft.NFT_MSG_GETTABLE, nft.nft_table_msg, _table)
    chains = _dump(nft.NFT_MSG_GETCHAIN, nft.nft_chain_msg, _chain)
    rules = _dump(nft.NFT_MSG_GETRULE, nft.nft_rule_msg, _rule)
    sets = _dump(nft.NFT_MSG_GETSET, nft.nft_set_msg, _set_row)
    elements_left = MAX_ELEMENTS_IN_ALL
    for owner in sets:
        most = min(MAX_ELEMENTS, elements_left)
        elements = _elements(owner, most + 1)
        owner["elements"] = elements[:most]
        owner["cut"] = len(elements) > most
        elements_left -= len(owner["elements"])
    after = _generation()
    return _answer(
        loaded=True,
        generation=after,
        consistent=before == after,
        tables=tables,
        chains=chains,
        rules=rules,
        sets=sets,
    )


def _generation() -> int:
    with netfilter_socket() as kernel:
        answer = kernel.ask(request(NFT | nft.NFT_MSG_GETGEN, nft.nft_gen_msg()))
        return int(Attributes(answer)("NFTA_GEN_ID") or 0)


def _dump(kind: int, message: type, shape: Callable[[nlmsg], Row], family: str = "") -> list[Row]:
    """All of a kind, each with its family; of one family where it is named."""
    number = _FAMILY_NUMBERS.get(family, 0)
    with netfilter_socket() as kernel:
        return [
            {"family": _family(answer)} | shape(answer)
            for answer in kernel.dump(dump_request(NFT | kind, message(), nfgen_family=number))
        ]


def _elements(owner: Row, most: int) -> list[Row]:
    """The first elements of a set."""
    attributes = {
        "NFTA_SET_ELEM_LIST_TABLE": owner["table"],
        "NFTA_SET_ELEM_LIST_SET": owner["name"],
    }
    family = _FAMILY_NUMBERS.get(owner["family"], 0)
    message = nft.nft_set_elem_list_msg()
    with netfilter_socket() as kernel:
        answers = kernel.dump(
            dump_request(NFT | nft.NFT_MSG_GETSETELEM, message, attributes, nfgen_family=family)
        )
        elements = itertools.chain.from_iterable(
            answer["decoded"].get("elements", ()) for answer in answers
        )
        return list(itertools.islice(elements, most))


def _family(answer: nlmsg) -> str:
    number = answer["nfgen_family"]
    return _FAMILIES.get(number, str(number))


def _table(answer: nlmsg) -> Row:
    attributes = Attributes(answer)
    return {"name": attributes.text("NFTA_TABLE_NAME"), "flags": attributes("NFTA_TABLE_FLAGS")}


def _chain(answer: nlmsg) -> Row:
    """One chain, without its rules."""
    attributes = Attributes(answer)
    row = {
        "table": attributes.text("NFTA_CHAIN_TABLE"),
        "name": attributes.text("NFTA_CHAIN_NAME"),
        "hook": _hook(attributes.inside("NFTA_CHAIN_HOOK")),
        "policy": attributes("NFTA_CHAIN_POLICY"),
        "type": attributes.text("NFTA_CHAIN_TYPE"),
    }
    return _without_missing(row)


def _hook(hook: Attributes) -> Row | None:
    row = {
        "number": hook("NFTA_HOOK_HOOKNUM"),
        "priority": hook("NFTA_HOOK_PRIORITY"),
        "device": hook.text("NFTA_HOOK_DEV"),
        "devices": hook.inside("NFTA_HOOK_DEVS").texts() or None,
    }
    return _without_missing(row) or None


def _rule(answer: nlmsg) -> Row:
    rule: Row = answer["decoded"]
    return rule


def _set_row(answer: nlmsg) -> Row:
    """One set, without its elements."""
    attributes = Attributes(answer)
    fields = attributes.inside("NFTA_SET_DESC")("NFTA_SET_DESC_CONCAT")
    row = {
        "table": attributes.text("NFTA_SET_TABLE"),
        "name": attributes.text("NFTA_SET_NAME"),
        "flags": attributes("NFTA_SET_FLAGS"),
        "key_type": attributes("NFTA_SET_KEY_TYPE"),
        "key_bytes": attributes("NFTA_SET_KEY_LEN"),
        "data_type": attributes("NFTA_SET_DATA_TYPE"),
        # the lengths in bytes of the fields of a concatenated key
        "fields": [Attributes(field)("NFTA_SET_FIELD_LEN") for field in fields or []],
    }
    return _without_missing(row)


def _without_missing(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}
