# SPDX-License-Identifier: GPL-2.0-only
"""ebpfctl top on a terminal of 24 lines and 80 columns, against answers whose rates are known.

Called by tests/system/top: EBPFCTL and FAKE_SERVER in the environment, a folder to work in as argument.
The fake daemon counts SPEED * N per answer for each row, whatever the time between two of them; the
columns of a row are multiples of each other, which no clock can change.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time

from terminal import Refused, Terminal

folder = sys.argv[1]
socket = os.path.join(folder, "socket")
log = os.path.join(folder, "requests")
servers = []
terminals = []
checks = failures = 0


def same(name, wanted, got):
    global checks, failures
    checks += 1
    if wanted != got:
        failures += 1
        print("not ok: %s\n--- wanted\n%s\n--- got\n%s\n---" % (name, wanted, got))


def shows(name, terminal, condition):
    """Waits for it; what the condition returned."""
    found = terminal.shows(condition)
    same(name, True, bool(found) or "\n".join(terminal.screen()))
    return found


# --- the fake daemon -------------------------------------------------------------------------------

USERS = 40  # user 4000000000 + i runs 10 * i programs per answer, and opens 3 files in each
UNITS = ["a.service", "b\x1b]0;x\x07\u202e.service", "c" * 60 + ".service"]


def answer(n, by="uid", epoch="e1", generation=1, losses=None):
    rows = []
    for i in range(1, USERS + 1):
        key = {"uid": 4000000000 + i}
        if by == "login":
            key = {"login": 4000000000 + i}
        if by == "unit":
            if i > len(UNITS):
                break
            key = {"unit": UNITS[i - 1]}
        execs = 10 * i * n
        rows.append(dict(key, counters={"execs": execs, "execFailures": None, "opens": 3 * execs,
                                        "openDenials": (USERS - i) * n}))
    totals = {name: sum(row["counters"][name] or 0 for row in rows)
              for name in rows[0]["counters"]}
    totals["execFailures"] = None
    return {"epoch": epoch, "generation": generation, "since": "2026-01-02T03:04:05Z", "by": by,
            "rows": rows, "totals": totals, "losses": losses or {"overflow": 0}, "gaps": []}


def serve(answers):
    """Each an answer, or a word of fake-server's."""
    words = []
    for number, what in enumerate(answers):
        if isinstance(what, dict):
            path = os.path.join(folder, "answer.%d" % number)
            with open(path, "w") as file:
                json.dump({"parameters": what}, file)
            what = path
        words.append(what)
    open(log, "w").close()
    program = subprocess.run([os.environ["FAKE_SERVER"], socket, log] + words, check=True,
                             stdout=subprocess.PIPE, timeout=20)
    servers.append(int(program.stdout))


def end_server():
    try:
        os.kill(servers[-1], signal.SIGKILL)
    except ProcessLookupError:
        pass
    if os.path.exists(socket):
        os.unlink(socket)


def requests():
    with open(log) as file:
        return [json.loads(line)["parameters"] for line in file]


def top(*options, **keywords):
    terminals.append(Terminal([os.environ["EBPFCTL"], "--socket=" + socket, "top"] + list(options),
                              **keywords))
    return terminals[-1]


def cells(line):
    return line.split()


def users(screen):
    """Rows between headings and total, if there are rates."""
    return [cells(line) for line in screen[3:-1] if line.startswith("40000000")]


def number(text):
    return float(text)


# --- cases -----------------------------------------------------------------------------------------

def the_screen():
    serve([answer(n) for n in range(1, 200)])
    terminal = top("-d", "0.2")
    first = shows("rows", terminal, lambda s: s[-1].startswith("TOTAL") and users(s))
    screen = terminal.screen()
    same("status", True, bool(re.match(
        r"\d\d:\d\d:\d\d  40 users, 40 active  by execs per second, every 0.2 s$", screen[0])) or screen[0])
    same("message", "q quit  h help", screen[1])
    same("headings", ["USER", "EXECS", "EXEC-FAILURES", "OPENS", "OPEN-DENIALS"], cells(screen[2]))
    same("most first", ["40000000%02d" % i for i in range(40, 20, -1)], [row[0] for row in first])
    same("total", "TOTAL", cells(screen[-1])[0])
    for row in first:
        i = int(row[0][-2:])
        same("what is not covered", "-", row[2])
        same("opens are three times the execs of %d" % i, True,
             abs(number(row[3]) / number(row[1]) - 3) < 0.05 or row)
        same("the share of %d" % i, True,
             abs(number(row[1]) / number(first[0][1]) - i / USERS) < 0.01 or row)
        same("execs of %d by a clock" % i, True, 10 * i < number(row[1]) <= 10 * i / 0.1 or row)
    shows("a sparkline grows", terminal, lambda s: re.search("[▁▂▃▄▅▆▇█]{5}$", s[3]))

    terminal.press("h")
    shows("help", terminal, lambda s: s[1].startswith("q quit  p pause  < > sort by  n by name  v "))
    same("help fits", True, len(terminal.screen()[1]) <= 80)
    terminal.press("?")
    shows("no help", terminal, lambda s: s[1] == "q quit  h help")

    terminal.press(">>>")
    shows("sorted by the next columns", terminal,
          lambda s: "by openDenials per" in s[0] and users(s) and users(s)[0][0] == "4000000001")
    terminal.press("\x1b[D")
    shows("an arrow goes back", terminal,
          lambda s: "by opens per" in s[0] and users(s)[0][0] == "4000000040")
    terminal.press("n")
    shows("sorted by name", terminal,
          lambda s: "by name per" in s[0] and users(s)[0][0] == "4000000001")
    terminal.press("\x1b[B\x1b[B")
    shows("scrolled by two", terminal, lambda s: users(s)[0][0] == "4000000003")
    terminal.press("\x1b[6~")
    shows("scrolled to the end", terminal, lambda s: users(s)[-1][0] == "4000000040")
    terminal.press("\x1b[1~")
    shows("and to the beginning", terminal, lambda s: users(s)[0][0] == "4000000001")

    terminal.press("p")
    shows("paused", terminal, lambda s: s[0].endswith("PAUSED"))
    asked = len(requests())
    time.sleep(0.7)  # in which it would ask three times
    same("paused: asks nothing", asked, len(requests()))
    terminal.press(" ")
    shows("goes on", terminal, lambda s: not s[0].endswith("PAUSED") and len(requests()) > asked)

    terminal.resize(10, 50)
    shows("smaller", terminal, lambda s: len(s) == 10 and len(users(s)) == 6 and
          cells(s[-1])[0] == "TOTAL")
    same("smaller: fewer columns", ["USER", "EXECS", "EXEC-FAILURES"], cells(terminal.screen()[2])[:3])
    terminal.press("<<")
    shows("the column that counts is always there", terminal, lambda s: "OPEN-DENIALS" in s[2])
    terminal.resize(2, 5)
    shows("tiny", terminal, lambda s: re.match(r"\d\d:\d\d$", s[0]))
    terminal.resize(50, 200)
    shows("larger", terminal, lambda s: len(users(s)) == 40 and "OPEN-DENIALS" in s[2])
    terminal.press("q")
    same("q ends it", 0, terminal.ends())
    same("q: the terminal is as before", True, terminal.restored())
    end_server()


def typed_before():
    """Lines that were typed before the first answer are keys after it."""
    serve([answer(n) for n in range(1, 200)])
    command = "read line; exec \"$0\" --socket=\"$1\" top -d 0.2"
    terminal = Terminal(["/bin/sh", "-c", command, os.environ["EBPFCTL"], socket])
    terminals.append(terminal)
    terminal.press("the shell's\nh\n")
    shows("rows, though something was typed", terminal, users)
    shows("what was typed before", terminal, lambda s: s[1].startswith("q quit  p pause"))
    terminal.press("q")
    same("typed before: q ends it", 0, terminal.ends())
    end_server()


def other_views():
    serve([answer(1), answer(2)] + [answer(n, "login") for n in range(1, 4)] +
          [answer(n, "unit") for n in range(1, 100)])
    terminal = top("-d", "0.2", "--sort=openDenials")
    shows("--sort", terminal, lambda s: users(s) and users(s)[0][0] == "4000000001")
    terminal.press("v")
    shows("by login", terminal, lambda s: "40 logins" in s[0] and s[2].startswith("LOGIN"))
    shows("by login: rates again", terminal, users)
    terminal.press("v")
    screen = shows("by unit", terminal, lambda s: s[2].startswith("UNIT") and s[5].startswith("c") and s)
    same("units", ["a.service", "b\\x1b]0;x\\x07\\u{202~", "c" * 19 + "~"],
         [cells(line)[0] for line in screen[3:6]])
    same("what was asked", ["uid", "uid", "login"], [request["by"] for request in requests()[:3]])
    terminal.press("\x03")
    same("an interrupt ends it", 0, terminal.ends())
    same("an interrupt: the terminal is as before", True, terminal.restored())
    end_server()


def restarts():
    serve([answer(1), answer(2), answer(3)])
    terminal = top("-d", "0.2")
    shows("reconnecting", terminal, lambda s: s[0].endswith("RECONNECTING") and
          s[1] == "ebpfmond does not answer: reconnecting" and users(s))
    serve([answer(4, generation=2), "close"] +
          [answer(n, epoch="e2", losses={"overflow": 7}) for n in range(1, 100)])
    shows("counting anew", terminal, lambda s: s[1] == "counting began anew" and
          "0 active" in s[0] and "RECONNECTING" not in s[0])
    screen = shows("rates again", terminal, lambda s: users(s) and s)
    same("losses are told", "not everything was counted: see 'ebpfctl status'",
         terminal.shows(lambda s: s[1] != "counting began anew" and s[1]))
    same("no rate is negative", [], [line for line in screen if re.search(r" -\d", line)])
    os.kill(terminal.pid, signal.SIGTERM)
    same("SIGTERM ends it", 0, terminal.ends())
    same("SIGTERM: the terminal is as before", True, terminal.restored())
    end_server()


def a_daemon_that_hangs():
    serve([answer(1), answer(2), "silence"])
    terminal = top("-d", "0.2")
    shows("rows, before it hangs", terminal, users)
    while len(requests()) < 3:
        terminal.pump(0.02)
    begin = time.monotonic()
    terminal.press("q")
    same("q ends it though the daemon hangs", 0, terminal.ends())
    same("q: at once", True, time.monotonic() - begin < 5)
    end_server()


def the_terminal_goes():
    serve([answer(n) for n in range(1, 200)])
    terminal = top("-d", "0.2")
    shows("rows, before the terminal goes", terminal, users)
    terminal.hang_up()
    end = time.monotonic() + 20
    pid = 0
    while not pid and time.monotonic() < end:
        pid, _ = os.waitpid(terminal.pid, os.WNOHANG)
        time.sleep(0.02)
    same("it ends with its terminal", terminal.pid, pid)
    terminal.code = 0
    end_server()


def other_terminals():
    serve([answer(n) for n in range(1, 200)])
    terminal = top("-d", "0.2", "-n", "2", LC_ALL="C", NO_COLOR="1")
    same("-n ends it", 0, terminal.ends())
    same("without UTF-8: two samples", True,
         bool(re.search(r" [.:=*#@+-]{2}$", terminal.screen()[3])) or terminal.screen()[3])
    same("-n 2: three answers", 3, len(requests()))
    for kind in ("", "dumb", "no-such-terminal"):
        terminal = Terminal(["/usr/bin/env", "TERM=" + kind, os.environ["EBPFCTL"],
                             "--socket=" + socket, "top"], columns=200)
        same("TERM=%s: exit code" % kind, 1, terminal.ends())
        terminal.pump(0.1)
        same("TERM=%s: the way out" % kind, True,
             "use 'ebpfctl top -b' for lines" in terminal.screen()[0] or terminal.screen()[0])
        same("TERM=%s: one line" % kind, "", terminal.screen()[1])
    end_server()


for case in (the_screen, typed_before, other_views, restarts, a_daemon_that_hangs, the_terminal_goes,
             other_terminals):
    try:
        case()
    except Refused as refused:
        same(case.__name__, "nothing that steers the terminal", str(refused))
    finally:
        end_server()
        for left in terminals:
            left.close()
print("%d checks, %d failed" % (checks, failures))
sys.exit(failures > 0)
