#!/usr/bin/env python3
"""Writes src/geo/country/table.rs: centre and radius of each country.

    make_countries.py WORLD_ATLAS/countries-10m.json I18N_ISO_COUNTRIES/codes.json > ../src/geo/country/table.rs

Sources, both from npm: world-atlas 2.0.2 (ISC; Natural Earth 1:10m, public domain) and i18n-iso-countries 7.14.0 (MIT;
only its pairs of ISO 3166-1 codes).

A country's parts are its polygons whose centre lies within NEAR kilometres of the centre of the largest one: French
Guiana is not France, Hawaii and Alaska do not move the centre of the United States into the sea. The centre is the mean
of the parts by area on the sphere, the radius that of a circle with their area.
"""
import json
import math
import sys

EARTH = 6371.0088
NEAR = 2500.0
# Countries with a code of their own that Natural Earth draws as parts of another, or without a number (0): code, the
# number there, and where.
PARTS = [
    ("GF", 250, 4.0, -53.0), ("GP", 250, 16.2, -61.5), ("MQ", 250, 14.65, -61.0), ("RE", 250, -21.1, 55.5),
    ("YT", 250, -12.8, 45.2), ("SJ", 578, 78.5, 18.0), ("BV", 578, -54.4, 3.4), ("BQ", 528, 12.2, -68.3),
    ("CC", 0, -12.15, 96.85), ("CX", 0, -10.45, 105.65), ("TK", 554, -9.2, -171.8),
]
KOSOVO = -1
# How far around that point the parts of such a country lie.
PART_NEAR = 600.0


def vector(lon, lat):
    lon, lat = math.radians(lon), math.radians(lat)
    return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)


def point(v):
    return math.degrees(math.atan2(v[1], v[0])), math.degrees(math.atan2(v[2], math.hypot(v[0], v[1])))


def distance(a, b):
    (ax, ay, az), (bx, by, bz) = vector(*a), vector(*b)
    cross = math.sqrt((ay * bz - az * by) ** 2 + (az * bx - ax * bz) ** 2 + (ax * by - ay * bx) ** 2)
    return EARTH * math.atan2(cross, ax * bx + ay * by + az * bz)


def ring_area_and_moment(ring):
    """Signed area in square kilometres, and the sum of the triangles' centres weighed by their areas."""
    area, moment = 0.0, [0.0, 0.0, 0.0]
    origin = vector(*ring[0])
    for a, b in zip(ring[1:], ring[2:]):
        a, b = vector(*a), vector(*b)
        triple = (origin[0] * (a[1] * b[2] - a[2] * b[1]) + origin[1] * (a[2] * b[0] - a[0] * b[2])
                  + origin[2] * (a[0] * b[1] - a[1] * b[0]))
        below = 1 + sum(o * x for o, x in zip(origin, a)) + sum(x * y for x, y in zip(a, b)) \
            + sum(o * y for o, y in zip(origin, b))
        part = 2 * math.atan2(triple, below) * EARTH * EARTH
        area += part
        middle = [o + x + y for o, x, y in zip(origin, a, b)]
        length = math.sqrt(sum(m * m for m in middle)) or 1.0
        moment = [m + part * n / length for m, n in zip(moment, middle)]
    return area, moment


def polygons(topology):
    scale, translate = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + translate[0], y * scale[1] + translate[1]))
        arcs.append(points)

    def ring(indices):
        points = []
        for index in indices:
            arc = arcs[index] if index >= 0 else arcs[~index][::-1]
            points.extend(arc if not points else arc[1:])
        return points

    for geometry in topology["objects"]["countries"]["geometries"]:
        shapes = {"Polygon": [geometry.get("arcs")], "MultiPolygon": geometry.get("arcs")}.get(geometry["type"], [])
        for shape in shapes:
            area, moment = 0.0, [0.0, 0.0, 0.0]
            for position, indices in enumerate(shape):
                part, middle = ring_area_and_moment(ring(indices))
                # Outer first, holes after it; the direction of writing is not relied upon.
                sign = math.copysign(1.0, part) * (1 if position == 0 else -1)
                area += sign * part
                moment = [m + sign * n for m, n in zip(moment, middle)]
            if area > 0:
                # Kosovo has no number: its code XK is by agreement, and databases use it.
                kosovo = geometry["properties"]["name"] == "Kosovo"
                yield (KOSOVO if kosovo else int(geometry.get("id", 0))), area, moment


def main():
    codes = {KOSOVO: "XK"} | {int(number): alpha2 for alpha2, _, number, *_ in json.load(open(sys.argv[2]))}
    parts = {}
    for number, area, moment in polygons(json.load(open(sys.argv[1]))):
        near = [(distance(point(moment), (lon, lat)), small) for small, owner, lat, lon in PARTS if owner == number]
        code = min(near)[1] if near and min(near)[0] < PART_NEAR else codes.get(number)
        if code:
            parts.setdefault(code, []).append((area, moment))
    print("//! Made by `sensor/insight/data/make_countries.py` from Natural Earth 1:10m, public domain.\n")
    print("/// Code, latitude and longitude of the centre in degrees, radius in kilometres; in the order of codes.")
    print("#[rustfmt::skip]")
    print(f"pub(super) static TABLE: [([u8; 2], f32, f32, u16); {len(parts)}] = [")
    for code in sorted(parts):
        largest = point(max(parts[code])[1])
        near = [part for part in parts[code] if distance(point(part[1]), largest) <= NEAR]
        area = sum(part[0] for part in near)
        lon, lat = point([sum(part[1][axis] for part in near) for axis in range(3)])
        print(f'    (*b"{code}", {lat:.2f}, {lon:.2f}, {max(1, math.ceil(math.sqrt(area / math.pi)))}),')
    print("];")


main()
