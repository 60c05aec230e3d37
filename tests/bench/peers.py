# SPDX-License-Identifier: GPL-2.0-only
"""The rows of the bench that others made, started the way their manual pages say.

Their output goes to files, as with everybody here. A peer that is not installed or does not start
says so in its own words.
"""
import os
import re
import shutil
import signal
import subprocess

from process import ToolError, cpu_ns, find_kernel_thread, read, wait_until
from tools import FOLDER, Tool

# Counts what ebpfmond counts, by user, as one writes it on the command line.
COUNTING_SCRIPT = '''
tracepoint:syscalls:sys_exit_open, tracepoint:syscalls:sys_exit_openat,
tracepoint:syscalls:sys_exit_openat2 { @opens[uid, args->ret < 0] = count(); }
tracepoint:sched:sched_process_exec { @execs[uid] = count(); }
'''

AUDIT_RULES = '-a always,exit -F arch=b64 -S open,openat,openat2,execve,execveat -F key=ebpfmon-bench -F uid='
AUDIT_CONFIGURATION = '''local_events = yes
write_logs = yes
log_file = {log}
log_format = ENRICHED
flush = INCREMENTAL_ASYNC
freq = 50
max_log_file_action = IGNORE
space_left = 75
space_left_action = IGNORE
admin_space_left = 50
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
priority_boost = 4
q_depth = 2000
'''


class Peer(Tool):
    """Commands that trace until they are interrupted."""
    consumed = 'file'

    def __init__(self, name, label, package, commands, covers):
        super().__init__(name, label)
        self.package, self.commands, self.covers = package, commands, covers

    def start(self):
        for command in self.commands:
            if not shutil.which(command[0]):
                raise ToolError(f'{command[0]} is not installed (package {self.package})')
        for command in self.commands:
            self.launch(command)
        for process in self.processes:
            process.wait_attached()

    def lost(self):
        """perf buffers: "Lost 5 events"; bpftrace: the same; bcc: "Possibly lost 5 samples"."""
        texts = (read(process.errors) for process in self.processes)
        return sum(int(number) for text in texts
                   for number in re.findall(r'[Ll]ost (\d+) (?:events|samples)', text))


class CountingPeer(Peer):
    """Tells numbers when it ends, in the words of bpftrace's maps."""

    def seen(self):
        text, user = read(self.outputs[0]), self.session.uid

        def number(key):
            found = re.search(rf'^@{re.escape(key)}: (\d+)', text, re.M)
            return int(found[1]) if found else 0

        return {'opens': number(f'opens[{user}, 0]'), 'missing': number(f'opens[{user}, 1]'),
                'execs': number(f'execs[{user}]')}

    def lost(self):
        return None


class Auditd(Tool):
    """auditd as Debian configures it, but for a log of its own that is never rotated; rules for the
    user of the loads, so that nobody else has to wait for it.

    The kernel never quite forgets that auditing was on: each process that is started afterwards is
    prepared for it and pays for that at every system call. Rule "never,task" ends that, so it is
    what stop() leaves, for good.
    """
    package, consumed, covers = 'auditd', 'its log', ('opens', 'missing', 'execs')
    needs_audit, divisor = True, 10
    begun, reported = False, None
    rules, enabled, lost_before = '', 0, 0

    @staticmethod
    def control(*words):
        return subprocess.run(['auditctl', *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False).stdout

    @classmethod
    def forget(cls):
        """No rules, but that new processes are not prepared for auditing."""
        for words in ('-D', '-a never,task'):
            cls.control(*words.split())

    @classmethod
    def recover(cls):
        """From a bench that was killed: only its rules have this key, only its auditd this folder."""
        if not shutil.which('auditctl') or 'key=ebpfmon-bench' not in cls.control('-l'):
            return
        cls.forget()
        pid = cls.daemon()
        if pid and f'/{FOLDER}' in read(f'/proc/{pid}/cmdline'):
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not os.path.exists(f'/proc/{pid}'), 10)

    @classmethod
    def status(cls, key):
        found = re.search(rf'^{key} (\d+)', cls.control('-s'), re.M)
        return int(found[1]) if found else None

    @classmethod
    def daemon(cls):
        """The kernel does not notice at once that it ended."""
        pid = cls.status('pid')
        return pid if read(f'/proc/{pid}/comm').strip() == 'auditd' else None

    def start(self):
        if not shutil.which('auditctl'):
            raise ToolError('auditctl is not installed (package auditd)')
        self.rules, self.enabled = self.control('-l').strip(), self.status('enabled')
        self.lost_before = self.status('lost')
        if (self.rules not in ('No rules', '-a never,task') or self.daemon() or
                self.enabled not in (0, 1)):
            raise ToolError('auditing is in use on this machine: left alone')
        folder = self.session.path('audit')
        os.makedirs(folder, exist_ok=True)
        self.outputs.append(os.path.join(folder, 'audit.log'))
        with open(os.path.join(folder, 'auditd.conf'), 'w', encoding='ascii') as file:
            file.write(AUDIT_CONFIGURATION.format(log=self.outputs[0]))
        os.chmod(folder, 0o700)
        process = self.launch(['auditd', '-n', '-c', folder], os.devnull)
        wait_until(lambda: process.ended() or self.status('pid') == process.pid, 10)
        if process.ended():
            raise ToolError(process.complaint())
        self.begun = True
        for words in ('-D', '-b 8192', '--backlog_wait_time 60000', '-f 1',
                      AUDIT_RULES + str(self.session.uid)):
            self.control(*words.split())

    def cpu_ns(self):
        thread = find_kernel_thread('kauditd')
        return super().cpu_ns() + (cpu_ns(thread) if thread else 0)

    def stop(self):
        if self.begun:
            self.reported = self.status('lost') - self.lost_before
            self.forget()
            self.control('-e', str(self.enabled))
            if self.enabled and self.rules == 'No rules':
                self.control('-D')  # new processes were prepared for it before, too
        self.begun = False
        super().stop()

    def seen(self):
        return self.lines('name="')

    def lost(self):
        return self.reported


def peers():
    """In the order of the table."""
    every = ('opens', 'missing', 'execs')
    return [
        CountingPeer('bpftrace-count', 'bpftrace, a script that counts by user', 'bpftrace',
                     [['bpftrace', '-e', COUNTING_SCRIPT]], every),
        Peer('syscount', 'syscount (libbpf-tools)', 'libbpf-tools', [['/usr/sbin/syscount']], ()),
        Peer('libbpf-tools', 'opensnoop + execsnoop (libbpf-tools)', 'libbpf-tools',
             [['/usr/sbin/opensnoop'], ['/usr/sbin/execsnoop']], every),
        Peer('bpftrace', 'opensnoop.bt + execsnoop.bt (bpftrace)', 'bpftrace',
             [['/usr/sbin/opensnoop.bt'], ['/usr/sbin/execsnoop.bt']], every),
        Peer('bcc', 'opensnoop + execsnoop (bpfcc-tools)', 'bpfcc-tools',
             [['opensnoop-bpfcc'], ['execsnoop-bpfcc']], every),
        Peer('fatrace', 'fatrace --filter=O', 'fatrace', [['fatrace', '--filter=O']], ('opens',)),
        Peer('sysdig', 'sysdig, opens and execs', 'sysdig',
             [['sysdig', 'evt.type in (open,openat,openat2,execve) and evt.dir=<']], every),
        Auditd('auditd', 'auditd, rules for open and execve'),
    ]
