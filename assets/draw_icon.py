"""Draws sockeye.png, the same shapes as sockeye.svg, with nothing but the standard library."""
import struct
import zlib

SIZE, OVER = 256, 4


def rounded(x0, y0, w, h, r):
    def inside(x, y):
        dx = max(x0 + r - x, 0, x - (x0 + w - r))
        dy = max(y0 + r - y, 0, y - (y0 + h - r))
        return x0 <= x <= x0 + w and y0 <= y <= y0 + h and dx * dx + dy * dy <= r * r
    return inside


def circle(cx, cy, r):
    return lambda x, y: (x - cx) ** 2 + (y - cy) ** 2 <= r * r


def triangle(a, b, c):
    def side(p, q, x, y):
        return (q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0])
    def inside(x, y):
        sides = (side(a, b, x, y), side(b, c, x, y), side(c, a, x, y))
        return min(sides) >= 0 or max(sides) <= 0
    return inside


def both(f, g):
    return lambda x, y: f(x, y) and g(x, y)


# Two arcs of radius 84 over the chord from (30, 128) to (172, 128).
DROP = (84**2 - 71**2) ** 0.5
BODY = both(circle(101, 128 + DROP, 84), circle(101, 128 - DROP, 84))
RED, DARK_RED, GREEN = (0xE5, 0x48, 0x4D), (0xB8, 0x38, 0x3B), (0x4E, 0x9A, 0x76)
NIGHT, WHITE, METAL = (0x14, 0x17, 0x1C), (255, 255, 255), (0xE4, 0xE8, 0xEE)
SHAPES = [
    (rounded(0, 0, 256, 256, 56), NIGHT),
    (triangle((92, 92), (126, 56), (146, 94)), DARK_RED),
    (triangle((104, 160), (126, 188), (138, 158)), DARK_RED),
    (BODY, RED),
    (both(BODY, circle(38, 128, 46)), GREEN),
    (circle(62, 118, 8), WHITE),
    (circle(62, 118, 4), NIGHT),
    (rounded(160, 96, 30, 64, 8), DARK_RED),
    (rounded(190, 106, 36, 12, 4), METAL),
    (rounded(190, 138, 36, 12, 4), METAL),
]


def pixel(px, py):
    red = green = blue = alpha = 0
    for sy in range(OVER):
        for sx in range(OVER):
            x, y = px + (sx + 0.5) / OVER, py + (sy + 0.5) / OVER
            for shape, colour in reversed(SHAPES):
                if shape(x, y):
                    red, green, blue, alpha = red + colour[0], green + colour[1], blue + colour[2], alpha + 1
                    break
    if alpha == 0:
        return b"\0\0\0\0"
    return bytes((red // alpha, green // alpha, blue // alpha, alpha * 255 // (OVER * OVER)))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(SIZE)) for y in range(SIZE))
header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
with open("sockeye.png", "wb") as png:
    png.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))
