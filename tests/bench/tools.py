# SPDX-License-Identifier: GPL-2.0-only
"""The rows of the bench that are ours: empty programs, and ebpfmond in what it can be made to do.

A tool is started, watched and stopped; what is done to it meanwhile is not its business.
"""
import json
import os
import re
import socket
import subprocess

from process import (Process, ToolError, bpf_map_bytes, cpu_ns, read, rss_bytes, switches,
                     wait_until)

PINS = '/sys/fs/bpf/ebpfmon-bench'
FOLDER = 'ebpfmon-bench-'  # what the session's begins with
KINDS = ('opens', 'missing', 'execs')
FILES = {'opens': 'target', 'missing': 'missing', 'execs': 'nothing'}


class Session:
    """What all tools share: a folder for the loads and for output, programs, the loads' user."""

    def __init__(self, folder, programs, uid):
        self.folder, self.programs, self.uid = folder, programs, uid

    def path(self, name):
        return os.path.join(self.folder, name)


class Tool:
    """One row. Subclasses have start() and seen()."""
    package = None
    consumed = ''    # where its output goes
    covers = ()      # which KINDS it claims to see
    divisor = 1      # of the number of operations, for those that take very long
    needs_audit = False

    def __init__(self, name, label):
        self.name, self.label = name, label
        self.session, self.processes, self.outputs = None, [], []

    def launch(self, command, output=None):
        """Output goes to a file of its own, unless said otherwise."""
        number = len(self.processes)
        errors = self.session.path(f'{self.name}.{number}.err')
        if not output:
            output = self.session.path(f'{self.name}.{number}.out')
            self.outputs.append(output)
        for path in (output, errors):
            if os.path.isfile(path):
                os.unlink(path)
        process = Process(command, output, errors)
        self.processes.append(process)
        return process

    def pids(self):
        return [process.pid for process in self.processes]

    def cpu_ns(self):
        return sum(cpu_ns(pid) for pid in self.pids())

    def switches(self):
        return [sum(both) for both in zip(*(switches(pid) for pid in self.pids()))]

    def memory(self):
        """In bytes: resident now, at its peak, and BPF maps."""
        return {'rss_bytes': sum(rss_bytes(pid) for pid in self.pids()),
                'peak_bytes': sum(rss_bytes(pid, 'VmHWM') for pid in self.pids()),
                'map_bytes': bpf_map_bytes(self.pids())}

    def stop(self):
        for process in reversed(self.processes):
            process.stop()

    def lines(self, prefix=''):
        """How many lines of the output tell of each kind."""
        result = {}
        for kind in self.covers:
            text = prefix + self.session.path(FILES[kind])
            counts = (subprocess.run(['grep', '-caF', '--', text, path], stdout=subprocess.PIPE,
                                     check=False, env={'LC_ALL': 'C'}).stdout or b'0'
                      for path in self.outputs)
            result[kind] = sum(int(count) for count in counts)
        return result

    def seen(self):
        """After stop(): how much of each kind it has told."""
        return self.lines()

    def lost(self):
        """After stop(): what it says that it lost, or None."""
        return None

    def clean(self):
        for path in self.outputs:
            if os.path.exists(path):
                os.unlink(path)
        self.processes, self.outputs = [], []


class Floor(Tool):
    """Empty programs on hooks: as many on each as ebpfmond has there."""

    def __init__(self, name, label, hooks):
        super().__init__(name, label)
        self.hooks = hooks

    def start(self):
        process = self.launch([self.session.programs['floor'], *self.hooks])
        wait_until(lambda: process.ended() or 'ready' in read(self.outputs[0]), 10)
        if process.ended():
            raise ToolError(process.complaint())


class Ebpfmond(Tool):
    """A daemon of its own with the default configuration, and clients."""
    covers = KINDS
    consumed = 'first to a file, others to /dev/null'

    def __init__(self, name, label, idle=0, subscribers=0):
        super().__init__(name, label)
        self.idle, self.subscribers = idle, subscribers
        self.clients, self.counted = [], {}

    def ctl(self, *words):
        command = [self.session.programs['ebpfctl'], f"--socket={self.session.path('socket')}"]
        done = subprocess.run([*command, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout else None

    def daemon(self, *words):
        return [self.session.programs['ebpfmond'], '--pins', PINS, '--user', 'root',
                '--config', self.session.path('ebpfmond.conf'),
                '--socket', self.session.path('socket'), '--log-level', 'error', *words]

    def start(self):
        process = self.launch(self.daemon(), os.devnull)
        wait_until(lambda: process.ended() or self.ctl('status', '-j'), 20)
        if process.ended():
            raise ToolError(process.complaint())
        for _ in range(self.idle):
            self.clients.append(socket.socket(socket.AF_UNIX))
            self.clients[-1].connect(self.session.path('socket'))
        for i in range(self.subscribers):
            self.launch([self.session.programs['ebpfctl'],
                         f"--socket={self.session.path('socket')}",
                         'events', 'exec', 'open', '-j'], os.devnull if i else None)

        def listened():
            return self.ctl('status', '-j')['events']['subscribers'] == self.subscribers

        if not wait_until(listened, 10):
            raise ToolError('its subscribers do not subscribe')

    def hooks(self):
        return [hook for probe in self.ctl('probes', '-j')['probes'] for hook in probe['hooks']]

    def memory(self):
        return {**super().memory(), 'map_bytes': self.ctl('status', '-j')['kernelMemory']}

    def stop(self):
        """The counts are asked for first: they go with the pins."""
        reply = self.processes and self.ctl('stats', '-j', '--uid', str(self.session.uid))
        counters = reply['rows'][0]['counters'] if reply and reply['rows'] else {}
        self.counted = {'opens': counters.get('opens'), 'missing': counters.get('openFailures'),
                        'execs': counters.get('execs')}
        for client in self.clients:
            client.close()
        self.clients = []
        super().stop()
        self.unpin()

    def unpin(self):
        if os.path.isdir(PINS):
            subprocess.run(self.daemon('--unpin'), stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)

    def seen(self):
        return self.lines() if self.subscribers else self.counted

    def lost(self):
        if not self.subscribers:
            return None
        texts = (read(process.errors) for process in self.processes[1:])
        return sum(int(number) for text in texts
                   for number in re.findall(r'(\d+) lost', text))


def own_tools():
    """Those that need no hooks to be known."""
    return [
        Ebpfmond('counting', 'ebpfmond, counting'),
        Ebpfmond('idle-clients', 'ebpfmond, counting, 16 idle clients', idle=16),
        Ebpfmond('events', 'ebpfmond, events to one `ebpfctl events -j`', subscribers=1),
        Ebpfmond('events-8', 'ebpfmond, events to eight of them', subscribers=8),
    ]
