"""Which addresses of the internet anybody may be reached at: none of ours, nor of nobody.

Written out, since Python's own `is_global` differs between its versions, and takes an address that
carries another one (6to4, NAT64) for what it looks like.

Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries (updated 2025-10-09) and IPv6
address space, of which 2000::/3 alone is handed out; RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380
(Teredo).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # behind a carrier's NAT
            "127.0.0.0/8",  # this machine
            "169.254.0.0/16",  # this link, and the metadata of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocols
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_HANDED_OUT_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols: Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address in disguise
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
# What an IPv6-only network's resolver makes of an IPv4 address: the last 32 bits are that.
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether this IPv4 or IPv6 address is a public one; what is no address is not."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found in _NAT64:
            found = IPv4Address(int(found) & 0xFFFF_FFFF)
        elif found.ipv4_mapped:
            found = found.ipv4_mapped
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _NOT_PUBLIC_4)
    return found in _HANDED_OUT_6 and not any(found in network for network in _NOT_PUBLIC_6)
