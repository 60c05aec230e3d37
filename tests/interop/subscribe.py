#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""subscribe.py ADDRESS PARAMETERS NUMBER COMMAND...: Subscribe by python-varlink's client; runs COMMAND
as soon as it listens, and prints what it was asked for in each of NUMBER events."""

import json
import subprocess
import sys

import varlink

address, parameters, number, *command = sys.argv[1:]
with varlink.Client.new_with_address(address) as client:
    with client.open("io.ebpfmon.Monitor") as monitor:
        answers = monitor.Subscribe(**json.loads(parameters), _more=True)
        first = next(answers)
        if first.get("event") or first.get("lost"):
            sys.exit(f"the first answer is {first}")
        subprocess.run(command, check=True)
        for _ in range(int(number)):
            event = next(answers)["event"]
            print(event["type"], event["uid"], event["asked"])
