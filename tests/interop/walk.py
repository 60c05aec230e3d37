#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""walk.py ADDRESS: org.varlink.certification from Start to End by python-varlink's client."""

import sys

import varlink

with varlink.Client.new_with_address(sys.argv[1]) as client:
    with client.open("org.varlink.certification") as server:
        client_id = server.Start()["client_id"]
        reply = {}
        for step in range(1, 10):
            reply = getattr(server, "Test%02d" % step)(client_id, *reply.values())
        stream = server.Test10(client_id, reply["mytype"], _more=True)
        replies = [reply["string"] for reply in stream]
        server.Test11(client_id, replies, _oneway=True)
        if server.End(client_id) != {"all_ok": True}:
            sys.exit("not certified")
print("certified by python-varlink")
