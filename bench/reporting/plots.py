"""Plots by gnuplot: bars with their spread, curves over a logarithmic axis, and courses over time."""

import subprocess
from dataclasses import dataclass, field

TERMINALS = {
    "svg": "set terminal svg size 900,{height} font 'sans-serif,13' background '#ffffff'",
    "png": "set terminal pngcairo size 900,{height} font 'sans,10' background '#ffffff'",
}
COMMON = """
set output '{path}'
set title {title} noenhanced
set style line 1 lc rgb '#0f62aa' lw 2 pt 7 ps 0.7
set style line 2 lc rgb '#c4501b' lw 2 pt 5 ps 0.7
set style line 3 lc rgb '#4c8c2b' lw 2 pt 9 ps 0.7
set style line 4 lc rgb '#7a4fa3' lw 2 pt 13 ps 0.7
set style line 5 lc rgb '#8a6d1a' lw 2 pt 11 ps 0.7
set grid lc rgb '#dddddd'
set border 3
set tics nomirror
"""


@dataclass
class Bars:
    """One bar for each (label, value, least, most)."""
    name: str
    title: str
    unit: str
    bars: list
    height = 420

    def script(self):
        # In data only double quotes keep a label with blanks together.
        data = "\n".join(f'{number} "{label}" {value} {least} {most}'
                         for number, (label, value, least, most) in enumerate(self.bars))
        return f"""$data << END
{data}
END
set boxwidth 0.6
set style fill solid 0.85 noborder
set xrange [-0.6:{len(self.bars) - 0.4}]
set xtics rotate by -30 noenhanced scale 0
set logscale y
set yrange [*<{max(min(bar[1] for bar in self.bars) / 2, 0.1)}:*]
set format y '%.0s%c'
set ylabel {quoted(self.unit)}
unset key
plot $data using 1:3:xtic(2) with boxes ls 1, $data using 1:3:4:5 with yerrorbars lc rgb '#222222' lw 1.5 ps 0
"""


@dataclass
class Curves:
    """Throughput above, latency below, over one axis. A series is (label, [(x, perSecond, p50, p99)])."""
    name: str
    title: str
    x: str
    series: list
    height = 620

    def script(self):
        data = "".join(f"$s{number} << END\n" + "\n".join(" ".join(map(str, point)) for point in points) + "\nEND\n"
                       for number, (_, points) in enumerate(self.series, 1))
        rates = ", ".join(f"$s{number} using 1:2 with linespoints ls {number} title {quoted(label)}"
                          for number, (label, _) in enumerate(self.series, 1))
        spans = ", ".join(f"$s{number} using 1:3 with linespoints ls {number} title {quoted(label + ', p50')}, "
                          f"$s{number} using 1:4 with linespoints ls {number} dt 2 title {quoted(label + ', p99')}"
                          for number, (label, _) in enumerate(self.series, 1))
        return f"""{data}
set multiplot layout 2,1
set logscale x
set format x '%.0s%c'
set offsets graph 0.02, graph 0.02, 0, 0
set key outside right top noenhanced
set ylabel 'a second'
set yrange [0:*]
set format y '%.0s%c'
plot {rates}
unset title
set logscale y
set yrange [*:*]
set format y '%g'
set ylabel 'ms'
set xlabel {quoted(self.x)}
plot {spans}
unset multiplot
"""


@dataclass
class Course:
    """Values over time. A series is (label, [(seconds, value)])."""
    name: str
    title: str
    unit: str
    series: list = field(default_factory=list)
    height = 420

    def script(self):
        data = "".join(f"$s{number} << END\n" + "\n".join(f"{second / 60:.4f} {value}" for second, value in points)
                       + "\nEND\n" for number, (_, points) in enumerate(self.series, 1))
        lines = ", ".join(f"$s{number} using 1:2 with lines ls {number} title {quoted(label)}"
                          for number, (label, _) in enumerate(self.series, 1))
        return f"""{data}
set key outside right top noenhanced
set yrange [0:*]
set xlabel 'minutes'
set ylabel {quoted(self.unit)}
plot {lines}
"""


def quoted(text):
    """As gnuplot takes it whatever is in it: a single quote is doubled."""
    return "'" + text.replace("'", "''").replace("\n", " ") + "'"


def draw(sections, folder, formats):
    for section in sections:
        for plot in section.plots:
            for extension in formats:
                path = folder / f"{plot.name}.{extension}"
                script = (TERMINALS[extension].format(height=plot.height)
                          + COMMON.format(path=str(path).replace("'", "''"), title=quoted(plot.title)) + plot.script())
                done = subprocess.run(["gnuplot"], input=script, text=True, capture_output=True, check=False)
                if done.returncode != 0 or not path.is_file():
                    raise SystemExit(f"gnuplot could not draw {plot.name}: {done.stderr}")
