#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A journald that does nothing but read: prints each entry as a line of JSON, in which bytes that are
no text are {"bytes": base64}. Ends with 1 at what is no entry.

usage: journald.py SOCKET"""
import base64
import json
import os
import socket
import struct
import sys


def split(entry):
    """Names and values, as systemd.io/JOURNAL_NATIVE_PROTOCOL has them."""
    while entry:
        line, newline, rest = entry.partition(b"\n")
        if not newline:
            raise ValueError(entry)
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack_from("<Q", rest)
            value, rest = rest[8 : 8 + size], rest[8 + size :]
            if len(value) != size or rest[:1] != b"\n":
                raise ValueError(entry)
            rest = rest[1:]
        yield name.decode("ascii"), value
        entry = rest


def text(value):
    """As JSON can have it."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"bytes": base64.b64encode(value).decode("ascii")}


def main(path):
    """Reads until it is killed."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(path)
    os.chmod(path, 0o666)
    while True:
        fields = list(split(server.recv(1 << 20)))
        names = [name for name, _ in fields]
        if len(names) != len(set(names)):
            sys.exit(f"a field twice: {names}")
        print(json.dumps({name: text(value) for name, value in fields}), flush=True)


main(sys.argv[1])
