#!/usr/bin/env python3
"""Makes `world.bin` from Natural Earth 4.1.0 (public domain), 1:50 million, as npm's `world-atlas` 2.0.2 packs it:

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python3 make.py package/countries-50m.json world.bin

Rings that cross the date line are cut there, and the one around the south pole is closed along it. Lines are thinned so that none is off by more than 0.04 degrees, and kept to 0.01 degrees. The file: the coast's rings,
then the borders' lines; of each how many lines, of each line how many points, of each point how far east and north of
the one before, in 0.01 degrees. Numbers are LEB128, signed ones zigzag.
"""
import json
import sys

OFF_MAX = 0.04


def read(path):
    topology = json.load(open(path))
    (scale_x, scale_y), (left, bottom) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((x * scale_x + left, y * scale_y + bottom))
        arcs.append(line)
    return topology["objects"], arcs


def thinned(points):
    """Douglas and Peucker's way; a ring is cut in two at the point farthest from its first."""
    if len(points) < 3:
        return points
    keep = [False] * len(points)
    keep[0] = keep[-1] = True
    parts = [(0, len(points) - 1)]
    if points[0] == points[-1]:
        (ax, ay) = points[0]
        far = max(range(len(points)), key=lambda i: (points[i][0] - ax) ** 2 + (points[i][1] - ay) ** 2)
        keep[far] = True
        parts = [(0, far), (far, len(points) - 1)]
    while parts:
        first, last = parts.pop()
        (ax, ay), (bx, by) = points[first], points[last]
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        most, at = -1, -1
        for i in range(first + 1, last):
            px, py = points[i][0] - ax, points[i][1] - ay
            part = max(0, min(1, (px * dx + py * dy) / length)) if length else 0
            off = (px - part * dx) ** 2 + (py - part * dy) ** 2
            if off > most:
                most, at = off, i
        if most > OFF_MAX * OFF_MAX:
            keep[at] = True
            parts += [(first, at), (at, last)]
    return [point for point, kept in zip(points, keep) if kept]


def polygons(geometry):
    return geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]


def ring(indexes, arcs):
    line = []
    for index in indexes:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        line += arc[1:] if line else arc
    return line


def unwrapped(line):
    """Without jumps from one edge of the map to the other: beyond 180 degrees instead."""
    points, turns = [], 0
    for x, y in line:
        if points:
            step = x + turns - points[-1][0]
            turns += -360 if step > 180 else 360 if step < -180 else 0
        points.append((x + turns, y))
    return points


def cut(points, inside):
    """The part of a ring where `inside` is 0 or more: Sutherland and Hodgman's way."""
    kept = []
    for before, point in zip(points[-1:] + points[:-1], points):
        a, b = inside(before), inside(point)
        if (a < 0) != (b < 0):
            part = a / (a - b)
            kept.append(tuple(p + (q - p) * part for p, q in zip(before, point)))
        if b >= 0:
            kept.append(point)
    return kept


def edges(points):
    for inside in (lambda point: point[0] + 180, lambda point: 180 - point[0]):
        points = cut(points, inside) if points else []
    return points


def on_the_map(line):
    """A ring as those of its parts that lie between both edges of the map."""
    points = unwrapped(line)
    (first, _), (last, _) = points[0], points[-1]
    if abs(last - first) > 180:
        points += [(last, -90.0), (first, -90.0)]
    rings = []
    for turn in (-360, 0, 360):
        part = [(x + turn, y) for x, y in points]
        part = edges(part)
        if len(part) >= 3:
            rings.append(part + part[:1] if part[0] != part[-1] else part)
    return rings


def number(value):
    octets = bytearray()
    while value >= 128:
        octets.append(value & 127 | 128)
        value >>= 7
    octets.append(value)
    return octets


def signed(value):
    return number(value * 2 if value >= 0 else -value * 2 - 1)


def encoded(lines):
    octets = bytearray(number(len(lines)))
    before = (0, 0)
    for line in lines:
        points = []
        for x, y in line:
            point = (round(x * 100), round(y * 100))
            if not points or points[-1] != point:
                points.append(point)
        octets += number(len(points))
        for x, y in points:
            octets += signed(x - before[0]) + signed(y - before[1])
            before = (x, y)
    return octets


def main(source, target):
    objects, arcs = read(source)
    arcs = [thinned(arc) for arc in arcs]
    coast = [
        part
        for geometry in objects["land"]["geometries"]
        for polygon in polygons(geometry)
        for indexes in polygon
        for part in on_the_map(ring(indexes, arcs))
    ]
    coast = [line for line in coast if len(line) >= 4]
    uses = {}
    for geometry in objects["countries"]["geometries"]:
        for polygon in polygons(geometry):
            for indexes in polygon:
                for index in indexes:
                    index = index if index >= 0 else ~index
                    uses[index] = uses.get(index, 0) + 1
    borders = [arcs[index] for index, count in sorted(uses.items()) if count > 1]
    with open(target, "wb") as out:
        out.write(encoded(coast) + encoded(borders))


main(*sys.argv[1:])
