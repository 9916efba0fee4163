"""Questions that netlink, other network namespaces and DNS servers answer."""
