# SPDX-License-Identifier: GPL-2.0-only
"""Processes of the tools that are measured: starting and ending them, and what /proc says of them.

Knows nothing of which tools there are, nor of what the figures become.
"""
import glob
import os
import re
import signal
import subprocess
import time

ATTACHED = re.compile(r'anon_inode:(\[perf_event\]|\[fanotify\]|bpf[-_](perf[-_])?link|bpf[-_]raw)')

COMPLAINT = re.compile(r'unable|cannot|failed|error|not permitted', re.I)


class ToolError(Exception):
    """A tool that cannot be measured here; the text says why."""


def wait_until(condition, seconds):
    """True as soon as it holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def read(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()
    except OSError:
        return ''


def cpu_ns(pid):
    """What all threads have run, to the nanosecond; those that ended do not count."""
    threads = glob.glob(f'/proc/{pid}/task/*/schedstat')
    return sum(int((read(thread).split() or ['0'])[0]) for thread in threads)


def switches(pid):
    """Context switches of all threads: [given up, taken away]."""
    sums = [0, 0]
    for thread in glob.glob(f'/proc/{pid}/task/*/status'):
        for i, kind in enumerate(('voluntary', 'nonvoluntary')):
            found = re.search(rf'^{kind}_ctxt_switches:\s+(\d+)', read(thread), re.M)
            sums[i] += int(found[1]) if found else 0
    return sums


def rss_bytes(pid, key='VmRSS'):
    """Resident memory; VmHWM is the peak."""
    found = re.search(rf'^{key}:\s+(\d+) kB', read(f'/proc/{pid}/status'), re.M)
    return int(found[1]) * 1024 if found else 0


def descriptors(pid):
    """What each file descriptor is, by number."""
    result = {}
    for path in glob.glob(f'/proc/{pid}/fd/*'):
        try:
            result[os.path.basename(path)] = os.readlink(path)
        except OSError:
            pass
    return result


def bpf_map_bytes(pids):
    """Kernel memory of the BPF maps that these processes hold, each once."""
    maps = {}
    for pid in pids:
        for number, target in descriptors(pid).items():
            if target != 'anon_inode:bpf-map':
                continue
            fields = dict(re.findall(r'^(\w+):\s+(\d+)', read(f'/proc/{pid}/fdinfo/{number}'), re.M))
            maps[fields.get('map_id')] = int(fields.get('memlock', 0))
    return sum(maps.values())


def find_kernel_thread(name):
    for path in glob.glob('/proc/[0-9]*/comm'):
        if read(path).strip() == name:
            return int(path.split('/')[2])
    return None


class Process:
    """One that ends with this program, however this ends."""

    def __init__(self, command, output, errors):
        self.name = os.path.basename(command[0])
        self.output, self.errors = output, errors
        with open(output, 'ab') as out, open(errors, 'ab') as err:
            self.popen = subprocess.Popen(
                ['setpriv', '--pdeathsig', 'KILL', '--', *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        self.pid = self.popen.pid

    def ended(self):
        return self.popen.poll() is not None

    def complaint(self):
        """The line it wrote that most likely says why it ended."""
        text = read(self.output) + '\n' + read(self.errors)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        lines.append(f'exit status {self.popen.returncode}')
        telling = [line for line in lines if COMPLAINT.search(line)]
        return (telling or lines)[0]

    def wait_attached(self, seconds=30):
        """Until it has something attached, and for a while has attached nothing else."""
        before, since = None, time.monotonic()

        def attached():
            nonlocal before, since
            now = descriptors(self.pid)
            if now != before:
                before, since = now, time.monotonic()
            some = any(ATTACHED.match(target) for target in now.values())
            return self.ended() or (some and time.monotonic() - since > 0.3)

        if not wait_until(attached, seconds):
            raise ToolError(f'{self.name}: attaches nothing')
        if self.ended():
            raise ToolError(f'{self.name}: {self.complaint()}')

    def stop(self, number=signal.SIGINT):
        """Asks, and kills what does not listen."""
        if not self.ended():
            self.popen.send_signal(number)
        try:
            self.popen.wait(10)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
