"""Cases of gzip (RFC 1952, rule 5): every part of a member across the pieces that the decoder gets it in."""
import random
import struct
import zlib

from hostile_make import d, f, tar

CASES = []
SLOT = 64 << 10  # rootfs/decode/channel.h: what input comes in
FHCRC, FEXTRA, FNAME, FCOMMENT = 2, 4, 8, 16
CHANCE = random.Random(1)


def noise(size):
    return bytes(CHANCE.randrange(33, 127) for _ in range(size))


def member(data, extra=None, name=None, comment=None, crc=False, flags=0, method=8, level=6, swap=None):
    """SWAP: bytes in place of the trailer's."""
    flags |= (FEXTRA if extra is not None else 0) | (FNAME if name is not None else 0)
    flags |= (FCOMMENT if comment is not None else 0) | (FHCRC if crc else 0)
    head = b"\x1f\x8b" + bytes([method, flags]) + bytes(6)
    if extra is not None:
        head += struct.pack("<H", len(extra)) + extra
    for text in name, comment:
        head += text + b"\0" if text is not None else b""
    if crc:
        head += struct.pack("<H", zlib.crc32(head) & 0xffff)
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    return head + body + (swap or struct.pack("<II", zlib.crc32(data), len(data)))


TEXT = noise(200000).decode()
PLAIN = tar(d("etc"), f("etc/file", TEXT))
SEEN = {"etc": "dir 755", "etc/file": f"file 644 {TEXT[:40]!r}"}


def blob(says, data, **rest):
    CASES.append(dict(rest, rule=5, says=says, layers=[PLAIN], blobs=[data]))


def pieces(number):
    size = len(PLAIN) // number + 1
    return [PLAIN[i:i + size] for i in range(0, len(PLAIN), size)]


def sliding(first, last, level, **rest):
    """Members of which one ends at each distance from FIRST to LAST from a slot's end."""
    data = b""
    ends = range(first, last)
    for i, (away, piece) in enumerate(zip(ends, pieces(len(ends)))):
        bare = len(member(piece, name=b"", level=level, **rest))
        data += member(piece, name=b"n" * ((i + 1) * SLOT + away - len(data) - bare), level=level, **rest)
    return data


def at_slot(away, swap=None):
    """One member whose end is AWAY from a slot's."""
    bare = len(member(PLAIN, name=b""))
    return member(PLAIN, name=b"n" * (-(bare - away) % SLOT), swap=swap)


for level, what in (0, "stored"), (1, "small"), (9, "large"):
    blob(f"reads {what} gzip members that end at every place around a slot's end",
         sliding(-12, 28, level), tree=SEEN)
blob("reads gzip headers with a checksum at every place around a slot's end",
     sliding(-40, 4, 6, crc=True, comment=b"c" * 20, extra=b"e" * 3), tree=SEEN)
blob("reads a gzip header longer than two slots",
     member(PLAIN, extra=b"e" * 65535, name=b"n" * 70000, comment=b"c" * 70000, crc=True), tree=SEEN)
blob("reads a gzip header with nothing in its parts",
     member(PLAIN, extra=b"", name=b"", comment=b"", crc=True), tree=SEEN)
blob("reads a thousand gzip members", b"".join(member(piece) for piece in pieces(1000)), tree=SEEN)
blob("reads gzip with zeros of three slots behind it", at_slot(0) + bytes(3 * SLOT), tree=SEEN)

# A last block of fixed codes: three bytes from one byte back.
TOO_FAR = b"\x03\x02\0\0"
WHOLE = member(PLAIN, extra=b"extra", crc=True)
HEAD = len(WHOLE) - len(member(PLAIN)) + 10
for count in range(1, 21):
    blob(f"refuses gzip that lacks its last {count} bytes", WHOLE[:-count], refused="truncated")
for count in range(2, HEAD + 1):
    blob(f"refuses {count} bytes of a second gzip member", WHOLE + WHOLE[:count], refused="truncated")
for away in range(9):
    trailer = struct.pack("<II", zlib.crc32(PLAIN), len(PLAIN))
    blob(f"refuses gzip garbage, the last member {away} bytes behind a slot's end", at_slot(away) + b"x",
         refused="garbage behind its end")
    for at in range(8):
        wrong = bytes(byte ^ (1 if i == at else 0) for i, byte in enumerate(trailer))
        if away and at not in (away - 1, 8 - away):
            continue
        blob(f"refuses byte {at} of a gzip trailer wrong, {away} bytes of it behind a slot's end",
             at_slot(away, wrong), refused="incorrect data check" if at < 4 else "incorrect length check")
for at in range(8):
    bad = bytearray(WHOLE)
    bad[-8 + at] ^= 0x80
    blob(f"refuses byte {at} of a first gzip trailer wrong", bytes(bad) + member(b""),
         refused="incorrect data check" if at < 4 else "incorrect length check")
for bit in 0x20, 0x40, 0x80:
    blob(f"refuses the reserved gzip flag {bit:#x}", member(PLAIN, flags=bit), refused="unknown header flags set")
blob("refuses another method than deflate", member(PLAIN, method=7), refused="unknown compression method")
blob("refuses a second member with half of gzip's magic", WHOLE + b"\x1f\x8c" + WHOLE[2:],
     refused="incorrect header check")
blob("refuses a gzip header whose checksum is wrong", WHOLE[:HEAD - 1] + bytes([WHOLE[HEAD - 1] ^ 1]) + WHOLE[HEAD:],
     refused="header crc mismatch")
blob("refuses gzip that refers to what is before its beginning", WHOLE[:HEAD] + TOO_FAR + WHOLE[-8:],
     refused="invalid distance too far back")
blob("refuses a second gzip member that refers to the first",
     member(PLAIN) + member(b"")[:10] + TOO_FAR + WHOLE[-8:], refused="invalid distance too far back")
blob("refuses a deflate block of no type", WHOLE[:HEAD] + b"\x07" + WHOLE[-8:], refused="invalid block")
