# SPDX-License-Identifier: Apache-2.0
"""Reads the PNG files that thumbnails are: 8-bit RGB or RGBA, not interlaced. Independent of libpng."""

import struct
import zlib


def _chunks(data):
    position = 8
    while position < len(data):
        size, kind = struct.unpack(">I4s", data[position:position + 8])
        body = data[position + 8:position + 8 + size]
        (crc,) = struct.unpack(">I", data[position + 8 + size:position + 12 + size])
        if crc != zlib.crc32(kind + body):
            raise ValueError(f"wrong checksum of chunk {kind}")
        yield kind, body
        position += 12 + size


def _predict(kind, left, up, corner):
    if kind == 1:
        return left
    if kind == 2:
        return up
    if kind == 3:
        return (left + up) // 2
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda value: abs(guess - value))
    return 0


class Picture:
    def __init__(self, path):
        data = path.read_bytes()
        if data[:8] != b"\x89PNG\r\n\x1a\n":
            raise ValueError(f"{path} is no PNG file")
        chunks = list(_chunks(data))
        self.width, self.height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
        if depth != 8 or colour not in (2, 6) or interlace != 0:
            raise ValueError(f"{path} is of another kind than thumbnails are")
        self.channels = 4 if colour == 6 else 3
        pixels = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
        self.rows = self._unfilter(pixels)

    def _unfilter(self, pixels):
        size = self.width * self.channels
        above, rows = bytearray(size), []
        for y in range(self.height):
            start = y * (size + 1)
            kind, row = pixels[start], bytearray(pixels[start + 1:start + 1 + size])
            for i in range(size):
                left = row[i - self.channels] if i >= self.channels else 0
                corner = above[i - self.channels] if i >= self.channels else 0
                row[i] = (row[i] + _predict(kind, left, above[i], corner)) & 0xFF
            rows.append(row)
            above = row
        return rows

    def at(self, x, y):
        """(red, green, blue, alpha)"""
        pixel = tuple(self.rows[y][x * self.channels:(x + 1) * self.channels])
        return pixel if self.channels == 4 else (*pixel, 255)

    def all(self):
        return [self.at(x, y) for y in range(self.height) for x in range(self.width)]
