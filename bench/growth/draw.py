"""Draws curves that come as JSON on standard input, one SVG a curve, into a folder: python draw.py FOLDER"""
import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
# Text stays text, and the same figures make the same file.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "pgqueuer", "font.size": 11})
import matplotlib.pyplot as plt  # noqa: E402

for curve in json.load(sys.stdin):
    sizes, costs = zip(*curve["points"])
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    axes.plot(sizes, costs, marker="o", color="#336791")
    axes.set_xscale("symlog" if min(sizes) == 0 else "log")
    axes.set_ylim(0, max(costs) * 1.25)
    axes.set_xlabel(curve["title"])
    axes.set_ylabel("µs a job")
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(sys.argv[1]) / f"{curve['name']}.svg", metadata={"Date": None})
    plt.close(figure)
