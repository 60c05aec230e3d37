#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Measures what ebpfmond and its peers cost, side by side, in one run.

Owns the order of things and what is measured; what a tool is, is tools.py's and peers.py's, and what
the figures look like report.py's. tests/bench/run installs and builds, and runs this.
"""
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import argparse
import fcntl
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import peers
import report
import statistic
import tools
from process import ToolError, read

STORMS = ('open', 'missing', 'exec', 'getppid', 'mixed')
# About as many of each take the same time.
FIRST_COUNTS = {'open': 20000, 'missing': 20000, 'exec': 200, 'getppid': 100000, 'mixed': 5000}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SETTLE_MAX = 0.3  # seconds: there may be no end, for tools that are told of the whole machine
SETTLE_LAST_MAX = 1  # before it is ended, which drops what it has not told
UNPIN_MAX = 5  # the daemon may be on its way out
BEGIN = time.monotonic()
LOCK = '/run/ebpfmon-bench.lock'

# How long things take: seconds of one storm with nothing attached, of one rate, of idleness.
MODES = {
    'short': {'rounds': 1, 'storm': 0.02, 'processes': (1,), 'rates': (100,), 'rate': 0.3,
              'idle': 0.3},
    'quick': {'rounds': 3, 'storm': 0.07, 'processes': (1, 2), 'rates': (100, 400, 1600),
              'rate': 0.8, 'idle': 2},
    'normal': {'rounds': 5, 'storm': 0.2, 'processes': (1, 2),
               'rates': (100, 200, 400, 800, 1600), 'rate': 30, 'idle': 60},
    'full': {'rounds': 9, 'storm': 0.4, 'processes': (1, 2),
             'rates': (100, 200, 400, 800, 1600), 'rate': 30, 'idle': 60},
}


def tell(text):
    """Progress, which is not the result."""
    print(f'bench: {time.monotonic() - BEGIN:.0f} s: {text}', file=sys.stderr, flush=True)


class Bench:
    """One run: a session, the tools that start, and what was measured."""

    def __init__(self, session, mode, rows):
        self.session, self.mode, self.rows = session, MODES[mode], rows
        self.cases = [(storm, n) for n in self.mode['processes'] for storm in STORMS]
        self.counts = {}
        self.result = {'mode': mode, 'settings': self.mode, 'machine': {}, 'warnings': [],
                       'nothing': {}, 'nothing_cpu': {}, 'tools': {}, 'rates': {}, 'idle': {}}

    # --- one measurement ---------------------------------------------------------------------

    def load(self, *words):
        command = [self.session.programs['storm'], self.session.folder, str(self.session.uid)]
        done = subprocess.run([*command, *map(str, words)], stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def calibrate(self):
        """How many operations take as long as they should."""
        for storm, processes in self.cases:
            count = FIRST_COUNTS[storm]
            ns = min(self.load(storm, count, processes)['ns'] for _ in range(3))
            wanted = int(self.mode['storm'] * 1e9 / ns)
            self.counts[storm, processes] = max(100, wanted // 100 * 100)

    def nothing(self):
        """For each case with nothing attached: nanoseconds, and those of CPU time."""
        loads = {case: self.load(case[0], self.counts[case], case[1]) for case in self.cases}
        return {case: (load['ns'], load['cpu_ns']) for case, load in loads.items()}

    @staticmethod
    def settle(tool, seconds=SETTLE_MAX):
        """Until the tool has worked off what it was given, if that is soon."""
        end = time.monotonic() + seconds
        before = tool.cpu_ns()
        while time.monotonic() < end:
            time.sleep(0.03)
            now = tool.cpu_ns()
            if now - before < 1000000:
                return now
            before = now
        return before

    def storms(self, tool, made):
        """For each case: as nothing(), and CPU seconds of the tool; adds to what was made."""
        figures = {}
        for case in self.cases:
            count = max(100, self.counts[case] // tool.divisor)
            before = tool.cpu_ns()
            load = self.load(case[0], count, case[1])
            cpu = (self.settle(tool) - before) / 1e9
            figures[case] = (load['ns'], load['cpu_ns'], cpu * self.counts[case] / count)
            for kind in tools.KINDS:
                made[kind] += load[kind]
        return figures

    # --- one tool ----------------------------------------------------------------------------

    def with_tool(self, tool, function):
        """Its result, or None if the tool does not start; that is noted, and not tried again."""
        entry = self.result['tools'][tool.name]
        if 'error' in entry:
            return None
        tool.session = self.session
        try:
            tool.start()
            return function(tool)
        except ToolError as error:
            entry['error'] = str(error)
            tell(f'{tool.name}: {error}')
            return None
        finally:
            tool.stop()

    def round(self, tool):
        """Figures of one start of the tool: storms, memory, what it saw."""
        made = dict.fromkeys(tools.KINDS, 0)

        def measure(_):
            figures = self.storms(tool, made)
            self.settle(tool, SETTLE_LAST_MAX)
            return (figures, tool.memory())

        measured = self.with_tool(tool, measure)
        if measured:
            entry = self.result['tools'][tool.name]
            seen, lost = tool.seen(), tool.lost()
            for kind in tool.covers:
                entry['made'][kind] += made[kind]
                entry['seen'][kind] += seen[kind] or 0
            if lost is not None:
                entry['lost'] = (entry['lost'] or 0) + lost
            for key, value in measured[1].items():
                entry[key] = max(entry.get(key, 0), value)
        tool.clean()
        return measured and measured[0]

    # --- all of them -------------------------------------------------------------------------

    def measure_costs(self):
        """Rounds of nothing, tool, nothing, tool, ..., nothing."""
        samples = {tool.name: {case: [] for case in self.cases} for tool in self.rows}
        base = {case: [] for case in self.cases}
        for i in range(self.mode['rounds']):
            before = self.nothing()
            for tool in self.rows:
                tell(f"round {i + 1} of {self.mode['rounds']}: {tool.name}")
                figures = self.round(tool)
                if not figures:
                    continue
                after = self.nothing()
                for case in self.cases:
                    around = [sum(both) / 2 for both in zip(before[case], after[case])]
                    samples[tool.name][case].append((*figures[case], *around))
                    base[case].append(around)
                before = after
        for case in self.cases:
            self.result['nothing'][self.key(case)] = statistic.spread([ns for ns, _ in base[case]])
            self.result['nothing_cpu'][self.key(case)] = statistic.spread(
                [ns for _, ns in base[case]])
        for tool in self.rows:
            self.conclude(tool, samples[tool.name])

    @staticmethod
    def key(case):
        return f'{case[0]}/{case[1]}'

    def conclude(self, tool, samples):
        entry = self.result['tools'][tool.name]
        for case, values in samples.items():
            if values:
                ns, cpu, own, base, base_cpu = zip(*values)
                entry['storms'][self.key(case)] = {
                    'ns': statistic.spread(ns), 'cpu_seconds': statistic.spread(own),
                    **statistic.compare('', ns, base), **statistic.compare('cpu_', cpu, base_cpu),
                }
        rounds = len(next(iter(samples.values())))
        if rounds:
            entry['cpu_seconds'] = sum(cpu for values in samples.values()
                                       for _, _, cpu, _, _ in values) / rounds

    def rates_of(self, tool):
        figures = []
        for rate in self.mode['rates']:
            before = tool.cpu_ns() if tool else 0
            load = self.load('rate', rate, self.mode['rate'])
            cpu = (self.settle(tool) - before) / 1e9 if tool else 0
            figures.append({'rate': rate, 'load_percent': 100 * load['cpu'] / load['seconds'],
                            'tool_percent': 100 * cpu / load['seconds']})
        return figures

    def idle_of(self, tool):
        self.settle(tool)
        before, cpu = tool.switches(), tool.cpu_ns()
        time.sleep(self.mode['idle'])
        after = tool.switches()
        return {'seconds': self.mode['idle'], 'voluntary': after[0] - before[0],
                'involuntary': after[1] - before[1], 'cpu_seconds': (tool.cpu_ns() - cpu) / 1e9}

    def measure_rest(self):
        """Idle, and execs at steady rates; the load alone before and after, as it is subtracted."""
        tell('idle and rates of execs: nothing')
        first = self.rates_of(None)
        for tool in self.rows:
            if tool.name.startswith('floor-'):
                continue
            tell(f'idle and rates of execs: {tool.name}')
            figures = self.with_tool(tool, lambda tool: (self.idle_of(tool), self.rates_of(tool)))
            tool.clean()
            if figures:
                self.result['idle'][tool.name], self.result['rates'][tool.name] = figures
        for figure, again in zip(first, self.rates_of(None)):
            figure['load_percent'] = (figure['load_percent'] + again['load_percent']) / 2
        self.result['rates']['nothing'] = first

    def describe(self):
        machine = self.result['machine']
        model = [line for line in read('/proc/cpuinfo').splitlines() if line.startswith('model name')]
        machine.update(kernel=os.uname().release.split('-')[0], processors=os.cpu_count(),
                       model=model[0].split(':', 1)[1].strip() if model else os.uname().machine,
                       date=time.strftime('%Y-%m-%d', time.gmtime()))
        for tool in self.rows:
            self.result['tools'][tool.name] = {
                'label': tool.label, 'package': tool.package, 'version': version(tool.package),
                'consumed': tool.consumed, 'storms': {},
                'made': dict.fromkeys(tool.covers, 0), 'seen': dict.fromkeys(tool.covers, 0),
                'lost': None,
            }

    def run(self):
        self.result['warnings'] += statistic.foreign_programs()
        before = statistic.machine_times()
        self.calibrate()
        self.measure_costs()
        self.measure_rest()
        self.result['operations'] = {self.key(case): self.counts[case] for case in self.cases}
        self.result['warnings'] += statistic.noise(self.result, before)
        return self.result


def version(package):
    if not package:
        return None
    done = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', package], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout or None


def prepare_folder(folder, programs):
    """What the loads open and run, for a user without rights."""
    os.chmod(folder, 0o711)
    with open(os.path.join(folder, 'target'), 'w', encoding='ascii') as file:
        file.write('target\n')
    shutil.copy(programs['nothing'], os.path.join(folder, 'nothing'))
    os.chmod(os.path.join(folder, 'nothing'), 0o755)
    with open(os.path.join(folder, 'ebpfmond.conf'), 'w', encoding='ascii'):
        pass


def hooks_of_ebpfmond(session):
    """Which hooks it uses on this kernel."""
    daemon = tools.Ebpfmond('hooks', 'hooks')
    daemon.session = session
    daemon.unpin()
    try:
        daemon.start()
        return daemon.hooks()
    finally:
        daemon.stop()
        daemon.clean()


def leave_no_pins(session):
    """Whoever was ended in the middle of stopping the daemon has not removed them."""
    daemon = tools.Ebpfmond('last', 'last')
    daemon.session = session
    end_time = time.monotonic() + UNPIN_MAX
    while os.path.isdir(tools.PINS) and time.monotonic() < end_time:
        subprocess.run(['pkill', '-f', '--', f'--pins {tools.PINS}'], check=False)
        daemon.unpin()
        time.sleep(0.1)


def all_rows(session, arguments):
    hooks = hooks_of_ebpfmond(session)
    rows = [tools.Floor('floor', 'empty programs on the same hooks', hooks)]
    if arguments.mode in ('normal', 'full'):
        rows += [tools.Floor('floor-' + hook.split('/')[1], f'empty program on {hook}', [hook])
                 for hook in sorted(set(hooks))]
    rows += [*tools.own_tools(), *peers.peers()]
    if arguments.rows:
        rows = [row for row in rows if row.name in arguments.rows.split(',')]
    return rows


def without_audit(bench, arguments):
    """Auditing is asked for: it leaves its mark on the machine."""
    for tool in bench.rows:
        if tool.needs_audit and not arguments.audit:
            bench.result['tools'][tool.name]['error'] = (
                'not started: --audit was not given')


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog='run', description=__doc__.split('\n', maxsplit=1)[0] + ' It takes about an hour.')
    for mode, text in (('short', 'under a minute: whether it works'),
                       ('quick', 'a few minutes: first impressions'),
                       ('full', 'twice as long, more rounds')):
        parser.add_argument(f'--{mode}', dest='mode', action='store_const', const=mode,
                            default='normal', help=text)
    parser.add_argument('--rows', metavar='NAME,...', help='only these')
    parser.add_argument('--audit', action='store_true',
                        help='auditd, too; leaves the audit rule never,task until the next boot')
    parser.add_argument('-j', '--json', action='store_true', help='JSON in place of tables')
    parser.add_argument('--save', metavar='FILE', help='the JSON to a file as well')
    parser.add_argument('--from', dest='source', metavar='FILE',
                        help='measure nothing, use what --save saved')
    parser.add_argument('--plot', metavar='FILE.svg')
    parser.add_argument('--write', action='store_true',
                        help='put tables and plot into README.md and docs/')
    return parser.parse_args()


def recover():
    """From a bench that was killed. Its pins are hooks_of_ebpfmond()'s."""
    peers.Auditd.recover()
    for folder in glob.glob(os.path.join(tempfile.gettempdir(), tools.FOLDER + '*')):
        shutil.rmtree(folder, ignore_errors=True)


def measure(arguments):
    programs = {name: os.environ[name.upper()]
                for name in ('ebpfmond', 'ebpfctl', 'storm', 'floor', 'nothing')}
    with open(LOCK, 'w', encoding='ascii') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit('bench: another one is running')
        recover()
        with tempfile.TemporaryDirectory(prefix=tools.FOLDER) as folder:
            prepare_folder(folder, programs)
            return measure_in(folder, programs, arguments)


def measure_in(folder, programs, arguments):
    session = tools.Session(folder, programs, 2000000000 + os.getpid())
    try:
        bench = Bench(session, arguments.mode, all_rows(session, arguments))
        bench.describe()
        without_audit(bench, arguments)
        return bench.run()
    finally:
        leave_no_pins(session)


def end(*_):
    """Once: tidying up is not to be interrupted."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit('bench: ended by a signal')


def main():
    arguments = parse_arguments()
    for number in SIGNALS:
        signal.signal(number, end)
    if arguments.source:
        result = json.loads(read(arguments.source))
    elif os.geteuid():
        sys.exit('bench: must be run by root')
    else:
        result = measure(arguments)
    text = json.dumps(result, indent=1)
    if arguments.save:
        with open(arguments.save, 'w', encoding='utf-8') as file:
            file.write(text + '\n')
    print(text if arguments.json else report.tables(result))
    report.finish(result, arguments.plot, arguments.write)


if __name__ == '__main__':
    main()
