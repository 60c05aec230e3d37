# SPDX-License-Identifier: GPL-2.0-only
"""A terminal for tests: runs a program on a pseudo-terminal and knows what its screen shows.

Understands what terminfo's "linux" makes ncurses write, and refuses everything else: an escape
sequence or a control byte that came from a name would be one of those. Knows nothing of the program.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

SEQUENCE = re.compile(r"\x1b(?:\[([?]?)([0-9;]*)([@A-Za-z])|[()][0B]|\][RP])")
PATIENCE = 20  # seconds, for a condition


class Refused(Exception):
    """What no program may write."""


class Terminal:
    def __init__(self, arguments, lines=24, columns=80, **environment):
        self.master, slave = pty.openpty()
        self.size(lines, columns)
        self.settings = termios.tcgetattr(slave)
        self.slave = slave
        self.cells = [[" "] * columns for _ in range(lines)]
        self.y = self.x = 0
        self.pending = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self.code = None
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.master)
            self.adopt(slave)
            os.execve(arguments[0], arguments, dict(os.environ, TERM="linux", **environment))

    @staticmethod
    def adopt(slave):
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(slave, fd)

    def size(self, lines, columns):
        self.lines, self.columns = lines, columns
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, lines, columns):
        """The kernel sends SIGWINCH; what was on the screen is lost."""
        self.pump(0)
        self.cells = [[" "] * columns for _ in range(lines)]
        self.y = self.x = 0
        self.size(lines, columns)

    def press(self, keys):
        os.write(self.master, keys.encode())

    def screen(self):
        return ["".join(line).rstrip() for line in self.cells]

    # --- what the program writes -------------------------------------------------------------------

    def put(self, character):
        if self.x >= self.columns:
            self.x, self.y = 0, min(self.y + 1, self.lines - 1)
        if self.y < self.lines:
            self.cells[self.y][self.x] = character
        self.x += 1

    def blank(self, y, begin, end):
        for x in range(begin, min(end, self.columns)):
            self.cells[y][x] = " "

    def erase(self, mode):
        begin = 0 if mode else self.y * self.columns + self.x
        end = self.y * self.columns + self.x + 1 if mode == 1 else self.lines * self.columns
        for place in range(begin, end):
            self.blank(place // self.columns, place % self.columns, place % self.columns + 1)

    def obey(self, private, numbers, letter):
        parameters = [int(n or 0) for n in numbers.split(";")]
        first = max(parameters[0], 1)
        if private and letter in "hlc" or letter in "mhlr":
            return  # modes, colours, the scrolling region
        if letter == "H":
            self.y = min(first, self.lines) - 1
            self.x = min(max((parameters + [1])[1], 1), self.columns) - 1
        elif letter == "J":
            self.erase(parameters[0])
        elif letter == "K":
            self.blank(self.y, 0 if parameters[0] else self.x,
                       self.x + 1 if parameters[0] == 1 else self.columns)
        elif letter == "X":
            self.blank(self.y, self.x, self.x + first)
        elif letter == "P":
            del self.cells[self.y][self.x:self.x + first]
            self.cells[self.y] += [" "] * (self.columns - len(self.cells[self.y]))
        elif letter == "@":
            self.cells[self.y][self.x:self.x] = [" "] * first
            del self.cells[self.y][self.columns:]
        elif letter in "LM":
            kept = self.cells[:self.y]
            rest = self.cells[self.y:]
            new = [[" "] * self.columns for _ in range(first)]
            self.cells = kept + (new + rest[:-first] if letter == "L" else rest[first:] + new)
        elif letter == "d":
            self.y = min(first, self.lines) - 1
        elif letter == "G":
            self.x = min(first, self.columns) - 1
        elif letter in "ABCD":
            self.x += {"C": first, "D": -first}.get(letter, 0)
            self.y += {"B": first, "A": -first}.get(letter, 0)
            self.x = min(max(self.x, 0), self.columns - 1)
            self.y = min(max(self.y, 0), self.lines - 1)
        else:
            raise Refused("sequence %r" % (numbers + letter))

    def control(self, character):
        if character == "\r":
            self.x = 0
        elif character == "\n":
            self.y = min(self.y + 1, self.lines - 1)
        elif character == "\b":
            self.x = max(self.x - 1, 0)
        elif character == "\t":
            self.x = min((self.x // 8 + 1) * 8, self.columns - 1)
        elif character not in "\x0e\x0f":
            raise Refused("control byte %r" % character)

    def feed(self, data):
        text = self.pending + self.decoder.decode(data)
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                match = SEQUENCE.match(text, at)
                if not match:
                    if len(text) - at > 16:
                        raise Refused("sequence %r" % text[at:at + 16])
                    break  # the rest of it is still to come
                if match.group(3):
                    self.obey(*match.groups())
                at = match.end()
                continue
            if text[at] < " " or "\x7f" <= text[at] < "\xa0":
                self.control(text[at])
            else:
                self.put(text[at])
            at += 1
        self.pending = text[at:]

    def pump(self, seconds):
        """Whatever comes within so much time, or the first of it; False after the end."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            self.feed(os.read(self.master, 65536))
        except OSError:
            return False
        return True

    # --- what tests ask ----------------------------------------------------------------------------

    def shows(self, condition):
        """Waits until condition(screen) holds, of a screen that is not just being drawn; None: it
        never did, else what it returned."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            quiet = not select.select([self.master], [], [], 0.05)[0]
            found = quiet and condition(self.screen())
            if found:
                return found
            if not quiet and not self.pump(0):
                return condition(self.screen()) or None
        return None

    def ends(self, seconds=PATIENCE):
        """The exit code; None: it goes on."""
        end = time.monotonic() + seconds
        while self.code is None and time.monotonic() < end:
            self.pump(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def restored(self):
        return termios.tcgetattr(self.slave) == self.settings

    def hang_up(self):
        os.close(self.slave)
        os.close(self.master)

    def close(self):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.code = os.waitpid(self.pid, 0)[1]
