# SPDX-License-Identifier: GPL-2.0-only
"""The picture of a bench, by gnuplot: what an open+close costs more, and execs at steady rates."""
import os
import subprocess
import tempfile

CASE = 'open/1'

SCRIPT = '''
set terminal {terminal} size 900,{height} font "sans,12" background "white"
set output "{path}"
set multiplot
set size 1,0.45
set origin 0,0.55
set style fill solid 0.8
unset key
set title "What an open + close takes more, us"
set yrange [{rows} - 0.5:-0.5]
set xrange [{low} < 0 ? {low} * 1.2 : 0:{high} * 1.2]
set grid xtics
set lmargin 45
plot "{folder}/bars" using 2:0:(0):2:($0 - 0.35):($0 + 0.35):($3):ytic(1) \\
	with boxxyerror linecolor variable title "added", \\
	"" using ($2 > 0 ? $2 : 0):0:(sprintf("%+.2f", $2)) with labels left offset 0.5,0 title "us"
set title "Execs at a steady rate: CPU of the tool, and what the load takes more"
set logscale x
set yrange [*:*]
set xrange [{first} * 0.85:{last} * 1.15]
set size 1,0.55
set origin 0,0
set lmargin 10
set grid ytics
set xlabel "execs per second"
set xtics ({tics})
set ylabel "% of one processor"
set key outside below Left reverse maxrows 5 width -6
set ytics auto
plot {lines}
'''
# Colours of bars: others, and us.
OTHERS, OURS = 1, 2
OUR_ROWS = ('floor', 'counting', 'idle-clients', 'events', 'events-8')


def plain(label):
    """gnuplot takes some characters for markup."""
    return label.replace('`', '').replace('_', '-').replace('"', '')


def write_bars(path, bars):
    with open(path, 'w', encoding='utf-8') as file:
        for label, value, name in bars:
            file.write(f'"{plain(label)}" {value:.3f} {OURS if name in OUR_ROWS else OTHERS}\n')


def write_rates(folder, result, rate_figures):
    """One file for each tool; what gnuplot is to draw of them."""
    names = [name for name in result['rates']
             if name not in ('nothing', 'idle-clients') and not name.startswith('floor')]
    lines = []
    for name in names:
        path = os.path.join(folder, name)
        with open(path, 'w', encoding='utf-8') as file:
            for rate, own, more in rate_figures(result, name):
                file.write(f'{rate} {own + more:.3f}\n')
        title = plain(result['tools'][name]['label'])
        lines.append(f'"{path}" using 1:2 with linespoints linewidth 2 title "{title}"')
    return ', '.join(lines) or '0'


def draw(result, rate_figures, path):
    """rate_figures(result, name) gives [(rate, own, more)]."""
    bars = [(tool['label'], tool['storms'][CASE]['added_ns']['median'] / 1000, name)
            for name, tool in result['tools'].items()
            if tool['storms'] and not name.startswith('floor-')]
    values = [value for _, value, _ in bars] or [1]
    with tempfile.TemporaryDirectory() as folder:
        write_bars(os.path.join(folder, 'bars'), bars)
        script = SCRIPT.format(
            path=path, folder=folder, rows=len(bars), low=min(values), high=max(values),
            first=result['settings']['rates'][0], last=result['settings']['rates'][-1],
            terminal='pngcairo' if path.endswith('.png') else 'svg', height=400 + 40 * len(bars),
            tics=', '.join(str(rate) for rate in result['settings']['rates']),
            lines=write_rates(folder, result, rate_figures))
        subprocess.run(['gnuplot'], input=script, text=True, check=True)
