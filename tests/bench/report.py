# SPDX-License-Identifier: GPL-2.0-only
"""The result of a bench as tables in markdown, and where they go. Measures nothing."""
import os
import re

import plot

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STORM_NAMES = {'open': 'open + close', 'missing': 'failing open', 'exec': 'vfork + exec',
               'getppid': 'getppid', 'mixed': 'mixed'}
KIND_NAMES = {'opens': 'opens', 'missing': 'failing opens', 'execs': 'execs'}
README_STORMS = ('open', 'exec', 'getppid')


def table(head, rows):
    lines = [head, ['---'] + ['---:'] * (len(head) - 1), *rows]
    return '\n'.join(f"| {' | '.join(line)} |" for line in lines)


def nanoseconds(value, sign=''):
    if abs(value) >= 100000:
        return f'{value / 1000:{sign}.0f} us'
    if abs(value) >= 10000:
        return f'{value / 1000:{sign}.1f} us'
    return f'{value:{sign}.0f} ns'


def half_width(figure):
    return (figure['high'] - figure['low']) / 2


def percent(value):
    return f'{value:.2f}' if value < 10 else f'{value:.1f}'


def mebibytes(value):
    return f'{value / 1048576:.1f}' if value else '-'


def share(seen, made):
    """Never rounded up to everything."""
    if seen == made:
        return 'all'
    return f'{int(1000 * seen / made) / 10} %'


def measured(result):
    return [(name, tool) for name, tool in result['tools'].items() if tool['storms']]


def cost(figure, prefix=''):
    added = figure[f'{prefix}added_ns']
    return (f"{nanoseconds(added['median'], '+')} ±{nanoseconds(half_width(added))} "
            f"({figure[f'{prefix}ratio']['median']:.2f})")


def base(figure):
    return f"{nanoseconds(figure['median'])} ±{nanoseconds(half_width(figure))}"


def cost_table(result, processes, prefix=''):
    """Of elapsed time; prefix "cpu_": of the CPU time of the load."""
    nothing = result['nothing_cpu' if prefix else 'nothing']
    cases = [f'{storm}/{processes}' for storm in STORM_NAMES
             if f'{storm}/{processes}' in result['nothing']]
    if not cases:
        return ''
    rows = [['nothing', *(base(nothing[case]) for case in cases)]]
    for _, tool in measured(result):
        rows.append([tool['label'], *(cost(tool['storms'][case], prefix) for case in cases)])
    return table(['added per operation', *(STORM_NAMES[case.split('/')[0]] for case in cases)], rows)


def seen_cells(tool):
    return [share(tool['seen'][kind], tool['made'][kind]) if tool['made'].get(kind) else '-'
            for kind in KIND_NAMES]


def tool_table(result):
    rows = []
    for _, tool in measured(result):
        lost = '-' if tool['lost'] is None else f"{tool['lost']:,}"
        rows.append([tool['label'], f"{tool['cpu_seconds']:.2f}", mebibytes(tool['rss_bytes']),
                     mebibytes(tool['peak_bytes']), mebibytes(tool['map_bytes']), *seen_cells(tool), lost])
    return table(['the tool itself', 'CPU s', 'RSS, MiB', 'at its peak', 'BPF maps, MiB',
                  *(f'{name} seen' for name in KIND_NAMES.values()), 'lost, as it says'], rows)


def rate_figures(result, name):
    """[(rate, per cent of its own, per cent that the load takes more)]."""
    return [(figure['rate'], figure['tool_percent'],
             figure['load_percent'] - alone['load_percent'])
            for figure, alone in zip(result['rates'][name], result['rates']['nothing'])]


def rate_table(result):
    alone = result['rates']['nothing']
    rows = [['the load alone', *(percent(figure['load_percent']) for figure in alone)]]
    for name in result['rates']:
        if name != 'nothing':
            rows.append([result['tools'][name]['label'],
                         *(f'{own + more:.2f} ({own:.2f} {more:+.2f})'
                           for _, own, more in rate_figures(result, name))])
    return table(['% of one processor, at execs per second',
                  *(str(figure['rate']) for figure in alone)], rows)


def idle_table(result):
    rows = []
    for name, figure in result['idle'].items():
        if not name.startswith('floor'):
            rows.append([result['tools'][name]['label'], str(figure['seconds']),
                         str(figure['voluntary']), str(figure['involuntary']),
                         f"{1000 * figure['cpu_seconds']:.2f}"])
    return table(['idle', 'seconds', 'wake-ups', 'preempted', 'CPU ms'], rows)


def absent(result):
    return '\n'.join(f"- {tool['label']}: {tool['error']}"
                     for tool in result['tools'].values() if 'error' in tool)


def origin(result):
    machine, settings = result['machine'], result['settings']
    option = '' if result['mode'] == 'normal' else f" --{result['mode']}"
    lines = [f"Kernel {machine['kernel']}, {machine['processors']} processors ({machine['model']}), "
             f"{machine['date']}, by `tests/bench/run{option}`, "
             f"rounds: {settings['rounds']}."]
    lines += [f'**Warning**: {warning}.' for warning in result['warnings']]
    versions = sorted({f"{tool['package']} {tool['version']}" for tool in result['tools'].values()
                       if tool['version']})
    if versions:
        lines.append(f"Peers: {', '.join(versions)}.")
    return '\n\n'.join(lines)


def tables(result):
    parts = [origin(result)]
    for processes in result['settings']['processes']:
        parts += [f"### {processes} process{'es' if processes > 1 else ''}",
                  cost_table(result, processes)]
    parts += ['### CPU time of the load, 1 process', cost_table(result, 1, 'cpu_'),
              '### The tools', tool_table(result), '### Rates of execs', rate_table(result),
              '### Idle', idle_table(result)]
    if absent(result):
        parts += ['### Not measured', absent(result)]
    return '\n\n'.join(parts)


def short_table(result):
    """What fits into the README."""
    cases = [f'{storm}/1' for storm in README_STORMS]
    rows = [['nothing', *(base(result['nothing'][case]) for case in cases),
             base(result['nothing_cpu'][cases[0]]), '-', '-', '-']]
    for name, tool in measured(result):
        if name.startswith('floor-') or name == 'idle-clients':
            continue
        rows.append([tool['label'], *(cost(tool['storms'][case]) for case in cases),
                     cost(tool['storms'][cases[0]], 'cpu_'), f"{tool['cpu_seconds']:.2f}",
                     mebibytes(tool['rss_bytes'] + tool['map_bytes']), seen_cells(tool)[0]])
    return table(['added per operation', *(STORM_NAMES[storm] for storm in README_STORMS),
                  'CPU time of open + close',
                  'CPU s of the tool', 'RSS and maps, MiB', 'opens seen'], rows)


def replace_block(path, text):
    """Between the markers, and nowhere else."""
    with open(path, encoding='utf-8') as file:
        before = file.read()
    after, number = re.subn(r'(<!-- bench: begin -->\n).*?(<!-- bench: end -->)',
                            lambda match: f'{match[1]}\n{text}\n\n{match[2]}', before, flags=re.S)
    if number != 1:
        raise SystemExit(f'bench: {path} has no place for the tables')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(after)


def finish(result, plot_path, write):
    """Plots and documents, as asked for."""
    if plot_path:
        plot.draw(result, rate_figures, plot_path)
    if write:
        plot.draw(result, rate_figures, os.path.join(SOURCE, 'docs/cost.svg'))
        replace_block(os.path.join(SOURCE, 'docs/PERFORMANCE.md'), tables(result))
        replace_block(os.path.join(SOURCE, 'README.md'),
                      origin(result) + '\n\n' + short_table(result))
