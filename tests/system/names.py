# SPDX-License-Identifier: GPL-2.0-only
"""Hostile names for tests/system/names, and the judge of what became of them.

Owns which names there are (always the same: the seed is fixed), what is strict JSON and what must not
reach a terminal; takes nothing from the programs that are tested.
"""

import base64
import json
import os
import random
import re
import socket
import sys

COUNT = 10000
SEED = 20011
OPENS = 3  # by names.c, in each cgroup

PIECES = [
    b"\x1b]52;c;cm0gLXJmIH4K\x07", b"\x1b]0;title\x1b\\", b"\x1b[2J\x1b[H", b"\x1bc", b"\x9b31m",
    b"\x90q\x9c", b"\x0e", b"\r", b"\x08\x08", b"\x00"[:0], b"\t", b"\x7f", b"\xc2\x9b31m", b"\xc2\x85",
    "\u202egpj".encode(), "\u2066\u2069".encode(), "\u200f\u061c".encode(), "\u200b\ufeff".encode(),
    "\u2028".encode(), "\U000e0041".encode(), "\ufffe".encode(), "\U0010ffff".encode(),
    b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\xf0\x9f\x98", b"\xff\xfe", b"\x80", "\U0001f600".encode(), "\u00e4".encode(), b"e\xcc\x81",
    b'"', b"'", b"\\", b"\\x1b", b"\\u001b", b"%s%n", b"$(id)", b"`id`", b"<b>", b"&amp;", b" ", b"a",
]

# What a terminal obeys, or what hides or reorders: Unicode's categories Cc and, of Cf, Zl and Zp, those
# that docs/ebpfctl.1 promises to escape.
DANGEROUS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]")


def fail(text):
    sys.exit("names.py: " + text)


# --- names ---------------------------------------------------------------------------------------


def hostile(rng, longest):
    """One name, of any bytes but NUL, newline and slash."""
    length = rng.choice([1, 2, 15, 16, rng.randint(1, longest), longest])
    name = b""
    while len(name) < length:
        if rng.random() < 0.5:
            name += rng.choice(PIECES)
        else:
            name += bytes([rng.randrange(1, 256)])
    name = name[:length].replace(b"/", b"|").replace(b"\n", b"\v")
    return name if name.strip(b".") else b"x" + name[1:]


def distinct(rng, make):
    names = {}
    while len(names) < COUNT:
        names[make(rng)] = None
    return list(names)


def cgroup_name(parent):
    def make(rng):
        if rng.random() < 0.1:
            return hostile(rng, 247).lstrip(b"_") + b".service"
        return hostile(rng, 255 - len(parent) - 1)
    return make


def path(rng):
    name = hostile(rng, 255)
    if rng.random() < 0.9:
        return name
    return b"./" * ((4095 - len(name)) // 2) + b"/" * ((4095 - len(name)) % 2) + name


def key(rng):
    """Of the configuration: neither a comment nor a section, and one word."""
    return b"x" + re.sub(rb"[= \t\r\v\f]", b"-", hostile(rng, 200))


def user(rng):
    return b"u" + hostile(rng, 32).replace(b":", b";").replace(b"\\", b"|").rstrip()


def write(file, names, end=b"\0"):
    with open(file, "wb") as out:
        out.write(end.join(names) + end)


def make(folder, parent):
    rng = random.Random(SEED)
    write(folder + "/cgroups", distinct(rng, cgroup_name(parent.encode())))
    write(folder + "/programs", distinct(rng, lambda r: hostile(r, 255)))
    write(folder + "/paths", distinct(rng, path))
    keys = distinct(rng, key)
    for i in range(0, COUNT, 1000):
        write(f"{folder}/config.{i // 1000}", [b"[Daemon]"] + [k + b"=1" for k in keys[i:i + 1000]],
              b"\n")
    users = distinct(rng, user)
    write(folder + "/users", users)
    write(folder + "/passwd", [b"root:x:0:0::/:/bin/sh"] +
          [b"%s:x:%d:7::/:/bin/sh" % (name, 3000000000 + i) for i, name in enumerate(users)], b"\n")
    rows = ",".join('{"uid":%d,"counters":{"execs":1}}' % (3000000000 + i) for i in range(COUNT))
    with open(folder + "/answer", "w", encoding="ascii") as out:
        out.write('{"parameters":{"rows":[%s],"totals":{"execs":%d}}}' % (rows, COUNT))


def read(file):
    with open(file, "rb") as names:
        return names.read().split(b"\0")[:-1]


# --- judging -------------------------------------------------------------------------------------


def no_constant(name):
    fail("no JSON: " + name)


def no_doubles(pairs):
    if len({name for name, value in pairs}) < len(pairs):
        fail("a member stands there twice")
    return dict(pairs)


def strict(data):
    """RFC 8259 to the letter, and nothing that cannot be encoded again (lone surrogates)."""
    value = json.loads(data.decode("utf-8"), parse_constant=no_constant, object_pairs_hook=no_doubles)
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def safe(data):
    """Text for people: lines of UTF-8 without anything that steers."""
    lines = data.decode("utf-8").replace("\r\n", "\n").split("\n")
    for line in lines:
        found = DANGEROUS.search(line)
        if found:
            fail(f"{found.group()!r} in {line!r}")
    return lines[:-1]


def unit_of(parent, name):
    unit = name.endswith(b".service") and len(name) > len(b".service")
    return name if unit else parent + b"/" + name


def unit_bytes(row):
    text = row["unit"]
    if "unitBytes" not in row:
        return text.encode("utf-8")
    data = base64.b64decode(row["unitBytes"], validate=True)
    if "\ufffd" not in text:
        fail(f"bytes that are not needed: {row!r}")
    return data


def units(file, parent):
    """The rows on stdin are those of the cgroups in @file, byte for byte, with their counts."""
    rows = strict(sys.stdin.buffer.read())["rows"]
    wanted = {unit_of(parent.encode(), name): OPENS for name in read(file)}
    got = {unit_bytes(row): row["counters"]["opens"] for row in rows}
    if len(rows) != len(got) or got != wanted:
        odd = sorted(wanted.items() ^ got.items())[:4]
        fail(f"{len(rows)} rows, wanted {len(wanted)}, such as {odd!r}")


def unescape(text):
    data = re.sub(r"\\u\{([0-9a-f]+)\}", lambda m: chr(int(m[1], 16)), text).encode("utf-8")
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), data)


def table(file, counters, parent=None):
    """Of the table on stdin the names can be told, but for those with a backslash of their own."""
    labels = [line.rsplit(None, int(counters))[0] for line in safe(sys.stdin.buffer.read())]
    names = read(file)
    if parent:
        names = [unit_of(parent.encode(), name) for name in names]
    if len(labels) != len(names):
        fail(f"{len(labels)} rows, wanted {len(names)}")
    plain = {name.rstrip(b" ") for name in names if b"\\" not in name}
    lost = plain - {unescape(label) for label in labels}
    if lost:
        fail(f"{len(lost)} names are lost, such as {sorted(lost)[:4]!r}")


def terminal_json(wanted):
    """The JSON on stdin is safe, and means the same as that in the file."""
    data = sys.stdin.buffer.read()
    safe(data)
    with open(wanted, "rb") as file:
        if strict(data)["rows"] != strict(file.read())["rows"]:
            fail("other rows than without a terminal")


def printable(lines):
    """Each of @lines lines on stdin is printable ASCII."""
    data = sys.stdin.buffer.read()
    if re.search(rb"[^\n -~]", data):
        fail("not printable: " + repr(re.search(rb".{0,40}[^\n -~].{0,40}", data).group()))
    if data.count(b"\n") != int(lines):
        fail(f"{data.count(bytes([10]))} lines, wanted {lines}")


def safe_lines(count):
    lines = safe(sys.stdin.buffer.read())
    if len(lines) != int(count):
        fail(f"{len(lines)} lines, wanted {count}")


def problems(count):
    got = strict(sys.stdin.buffer.read())["problems"]
    if len(got) != int(count):
        fail(f"{len(got)} problems, wanted {count}")


# --- the journal ---------------------------------------------------------------------------------


def journal(file, *command):
    """Runs @command with its stderr in @file and a journal of its own, whose entries follow there.

    To be run in a mount namespace. As sd_journal_send(3) has it: one datagram for an entry, in it a
    line for a field, if it is text; only MESSAGE= is kept, with what comes of one that is not text.
    """
    os.makedirs("/run/systemd/journal")
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind("/run/systemd/journal/socket")
    os.chmod("/run/systemd/journal/socket", 0o666)
    daemon = os.getpid()
    with open(file, "ab", buffering=0) as out:
        if os.fork():
            os.dup2(out.fileno(), 2)
            os.environ["JOURNAL_STREAM"] = "%d:%d" % (os.fstat(2).st_dev, os.fstat(2).st_ino)
            os.execv(command[0], command)
        receiver.settimeout(0.2)
        while os.getppid() == daemon:
            try:
                entry = receiver.recv(1 << 20)
            except TimeoutError:
                continue
            start = entry.index(b"MESSAGE")
            out.write(entry[start:entry.index(b"PRIORITY=")])


if __name__ == "__main__":
    globals()[sys.argv[1].replace("-", "_")](*sys.argv[2:])
