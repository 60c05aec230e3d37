# SPDX-License-Identifier: GPL-2.0-only
"""The picture of a bench, by gnuplot: what an open+close costs more, and execs at steady rates."""
import os
import subprocess
import tempfile

CASE = 'open/1'

SCRIPT = '''
set terminal svg size 900,{height} font "sans,12" background "white"
set output "{path}"
set multiplot layout 2,1
set style fill solid 0.8
unset key
set title "What an open + close takes more, ns"
set yrange [{rows} - 0.5:-0.5]
set xrange [0:*]
set grid xtics
set lmargin 42
plot "{folder}/bars" using 2:0:(0):2:($0 - 0.35):($0 + 0.35):($3):ytic(1) \\
	with boxxyerror linecolor variable, \\
	"" using 2:0:(sprintf(" %+.0f", $2)) with labels left offset 0.3,0
set title "Execs at a steady rate: CPU of the tool, and what the load takes more"
set yrange [{low}:*]
set xrange [*:*]
set lmargin 10
set grid ytics
set xlabel "execs per second"
set ylabel "% of one processor"
set key outside right
set ytics auto
plot {lines}
'''


def plain(label):
    """gnuplot takes some characters for markup."""
    return label.replace('`', '').replace('_', '-').replace('"', '')


def draw(result, rate_figures, path):
    """rate_figures(result, name) gives [(rate, own, more)]."""
    bars = [(plain(tool['label']), tool['storms'][CASE]['added_ns']['median'], name)
            for name, tool in result['tools'].items()
            if tool['storms'] and not name.startswith('floor-')]
    rates = [name for name in result['rates'] if name != 'nothing' and not name.startswith('floor')]
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'bars'), 'w', encoding='utf-8') as file:
            for label, value, name in bars:
                ours = name in ('floor', 'counting', 'idle-clients', 'events', 'events-8')
                file.write(f'"{label}" {value:.1f} {2 if ours else 1}\n')
        for name in rates:
            with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
                for rate, own, more in rate_figures(result, name):
                    file.write(f'{rate} {own + more:.3f}\n')
        lines = ', '.join(f'"{folder}/{name}" using 1:2 with linespoints linewidth 2 '
                          f'title "{plain(result["tools"][name]["label"])}"' for name in rates)
        script = SCRIPT.format(path=path, folder=folder, rows=len(bars), lines=lines or '0',
                               height=420 + 24 * len(bars), low='*')
        subprocess.run(['gnuplot'], input=script, text=True, check=True)
