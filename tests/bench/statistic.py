# SPDX-License-Identifier: GPL-2.0-only
"""Medians, spreads, and whether a machine was quiet enough for them."""
import json
import statistics
import subprocess

from process import read

NOISE_MAX = 0.10  # of the spread of nothing attached over its median
STOLEN_MAX = 0.01
OURS = ('ebpfmon', 'floor')


def spread(values):
    """Median and quartiles; the extremes where there are too few for quartiles."""
    low, high = min(values), max(values)
    if len(values) > 3:
        low, _, high = statistics.quantiles(values, n=4, method='inclusive')
    return {'median': statistics.median(values), 'low': low, 'high': high, 'rounds': len(values)}


def compare(prefix, values, base):
    """What values are more than their neighbours, as differences and as ratios."""
    pairs = [pair for pair in zip(values, base) if pair[1]]
    return {f'{prefix}added_ns': spread([value - around for value, around in pairs] or [0]),
            f'{prefix}ratio': spread([value / around for value, around in pairs] or [1])}


def machine_times():
    """Jiffies of all processors: of everything, and stolen by a hypervisor."""
    fields = [int(field) for field in read('/proc/stat').split('\n', maxsplit=1)[0].split()[1:9]]
    return sum(fields), fields[7]


def foreign_programs():
    """Other people's tracing programs are in the baseline, too."""
    done = subprocess.run(['bpftool', '-j', 'link', 'show'], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    try:
        links = json.loads(done.stdout or '[]')
    except ValueError:
        return []
    kinds = ('tracing', 'raw_tracepoint', 'perf_event', 'kprobe_multi')
    number = sum(link.get('type') in kinds for link in links)
    if not number:
        return []
    return [f'{number} other BPF programs trace on this machine: '
            'what they cost is in all figures, "nothing" included']


def noise(result, before):
    """What makes the figures doubtful."""
    warnings = []
    total, stolen = (after - earlier for after, earlier in zip(machine_times(), before))
    worst, case = max(((figure['high'] - figure['low']) / figure['median'], case)
                      for case, figure in result['nothing'].items())
    if worst > NOISE_MAX:
        warnings.append(f'noisy machine: with nothing attached, half of the rounds of {case} are '
                        f'{100 * worst:.0f} % apart')
    if total and stolen / total > STOLEN_MAX:
        warnings.append(f'the hypervisor took {100 * stolen / total:.1f} % of the time')
    return warnings
