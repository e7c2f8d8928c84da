"""Figures of plotly as figures of matplotlib: only the kinds of trace that this package uses are known."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tune_jobs.report.figures.style import WHOLE
from tune_jobs.views.plots.canvas import new_figure, plain

if TYPE_CHECKING:
    import numpy as np
    import plotly.graph_objects as go
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_INCHES_PER_PX = 1 / 100
_WIDTH_PX = 900
_DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
_SYMBOLS = {"circle": "o", "x": "x", "square": "s"}
_STEPS = {"hv": "steps-post"}
_MAPS = {"Viridis": "viridis", "Cividis": "cividis", "Blues": "Blues"}
_RGBA = re.compile(r"rgba\((\d+),(\d+),(\d+),([\d.]+)\)")


def picture(figure: go.Figure) -> Figure:
    """Return a figure as a matplotlib figure.

    Args:
        figure: A figure of this package.
    """
    whole = figure.to_plotly_json()
    layout, traces = whole["layout"], whole["data"]
    canvas = new_figure(_WIDTH_PX * _INCHES_PER_PX, layout.get("height", 420) * _INCHES_PER_PX)
    panels = _panels(canvas, layout)
    for trace in traces:
        if trace["type"] == "parcoords":
            _draw_parallel(panels["x", "y"], trace)
        else:
            _DRAWERS[trace["type"]](panels[trace.get("xaxis", "x"), trace.get("yaxis", "y")], trace, canvas)
    if traces and traces[0]["type"] != "parcoords":
        for (x, y), axes in panels.items():
            _set_axis(axes, layout.get(_axis_name(x), {}), "x")
            _set_axis(axes, layout.get(_axis_name(y), {}), "y")
            _name_traces(axes, [trace for trace in traces if trace.get("xaxis", "x") == x], layout)
        for shape in layout.get("shapes", ()):
            panels["x", "y"].axvline(shape["x0"], color="0.5", linewidth=0.8, linestyle=":", zorder=0)
    title, note = _title(layout)
    canvas.suptitle(f"{title}\n{note}" if note else title, x=0.01, ha="left", fontsize="medium")
    return canvas


def _panels(canvas: Figure, layout: Mapping[str, Any]) -> dict[tuple[str, str], Axes]:
    """Return the axes by the names of plotly's axes."""
    names = [name.removeprefix("xaxis") for name in layout if name.startswith("xaxis")] or [""]
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    grid = canvas.subplots(rows, columns, squeeze=False).ravel()
    for unused in grid[len(names) :]:
        unused.remove()
    return {(f"x{name}", f"y{name}"): axes for name, axes in zip(names, grid, strict=False)}


def _axis_name(short: str) -> str:
    return f"{short[0]}axis{short[1:]}"


def _draw_scatter(axes: Axes, trace: Mapping[str, Any], canvas: Figure) -> None:  # noqa: ARG001 - as the others
    x, y = _numbers(trace["x"]), _numbers(trace["y"])
    name = _plain(trace.get("name"))
    line, marker = trace.get("line", {}), trace.get("marker", {})
    if trace.get("fill") == "tonexty":
        below = axes.get_lines()[-1]
        axes.fill_between(
            x, _numbers(below.get_ydata()), y, step="post", color=_colour(trace["fillcolor"]), linewidth=0
        )
    if "lines" in trace["mode"]:
        width = line.get("width", 2) * 0.75
        look = {
            "color": _colour(line.get("color")),
            "linewidth": width,
            "linestyle": _DASHES[line.get("dash", "solid")],
        }
        axes.plot(x, y, label=name, drawstyle=_STEPS.get(line.get("shape"), "default"), **look)
        return
    colour = marker.get("color", line.get("color"))
    size, symbol = (marker.get("size", 6) * 0.8) ** 2, _SYMBOLS[marker.get("symbol", "circle")]
    edge: dict[str, Any] = {} if symbol == "x" else {"linewidths": 0.4, "edgecolors": "white"}
    if colour is None or isinstance(colour, str):
        axes.scatter(x, y, s=size, marker=symbol, label=name, color=_colour(colour), zorder=3, **edge)
    else:
        scale = _scale(marker)
        axes.scatter(x, y, s=size, marker=symbol, c=_numbers(colour), zorder=3, **scale, **edge)


def _draw_bar(axes: Axes, trace: Mapping[str, Any], canvas: Figure) -> None:  # noqa: ARG001 - as the others
    colour = _colour(trace["marker"]["color"])
    name = _plain(trace.get("name"))
    if trace.get("orientation") == "h":
        lanes = [_plain(lane) for lane in trace["y"]]
        left = _numbers(trace["base"]) if "base" in trace else None
        height = list(trace.get("width") or [0.8] * len(lanes))
        spread = _numbers(trace["error_x"]["array"]) if "error_x" in trace else None
        axes.barh(
            lanes, _numbers(trace["x"]), height, left, color=colour, label=name, xerr=spread, ecolor="0.4",
            edgecolor="white", linewidth=0.4,
        )  # fmt: skip
        return
    names, heights = [_plain(each) for each in trace["x"]], _numbers(trace["y"])
    floor = [0.0] * len(names)
    for container in axes.containers:
        floor = [low + bar.get_height() for low, bar in zip(floor, container, strict=True)]
    bars = axes.bar(names, heights, bottom=floor, color=colour, label=name)
    axes.bar_label(
        bars,
        labels=list(trace.get("text") or [""] * len(names)),
        label_type="center",
        fontsize="small",
        color=_on(colour),
    )


def _draw_contour(axes: Axes, trace: Mapping[str, Any], canvas: Figure) -> None:

    values = _array(trace["z"])
    scale = _scale({"cmin": trace["zmin"], "cmax": trace["zmax"], **trace})
    if min(values.shape) < 2:
        return
    image = axes.contourf(_numbers(trace["x"]), _numbers(trace["y"]), values, 12, alpha=0.75, **scale)
    canvas.colorbar(image, ax=axes, label=_plain(trace["colorbar"]["title"]["text"]))


def _draw_heatmap(axes: Axes, trace: Mapping[str, Any], canvas: Figure) -> None:
    import numpy as np

    cells = _array(trace["z"])
    scale = _scale({"cmin": trace["zmin"], "cmax": trace["zmax"], **trace})
    names = trace["x"]
    if "texttemplate" not in trace:
        image = axes.pcolormesh(_numbers(names), _numbers(trace["y"]), cells, alpha=0.75, shading="nearest", **scale)
        canvas.colorbar(image, ax=axes, label=_plain(trace["colorbar"]["title"]["text"]))
        return
    matrix = axes.imshow(cells, **scale)
    canvas.colorbar(matrix, ax=axes, label=_plain(trace["colorbar"]["title"]["text"]))
    labels = [_plain(name) for name in names]
    axes.set_xticks(range(len(labels)), labels, rotation=90 if max(map(len, labels)) > 3 else 0)
    axes.set_yticks(range(len(labels)), labels)
    for (row, column), share in np.ndenumerate(cells) if trace["texttemplate"] else ():
        colour = "white" if share > 0.5 else "black"
        axes.text(column, row, trace["text"][row][column], ha="center", va="center", size=8, color=colour)


def _draw_parallel(axes: Axes, trace: Mapping[str, Any]) -> None:
    import matplotlib as mpl
    import numpy as np

    dimensions = trace["dimensions"]
    scaled = []
    for index, dimension in enumerate(dimensions):
        low, high = dimension["range"]
        scaled.append((_array(dimension["values"]) - low) / ((high - low) or 1.0))
        axes.axvline(index, color="0.6", linewidth=0.8)
        for at, words in zip(dimension["tickvals"], dimension["ticktext"], strict=True):
            height = (at - low) / ((high - low) or 1.0)
            if -0.01 <= height <= 1.01:
                axes.text(index + 0.02, height, _plain(words), size=7, va="center")
    colours = _array(trace["line"]["color"])
    scale = _scale(trace["line"])
    norm = mpl.colors.Normalize(scale["vmin"], scale["vmax"])
    for values, colour in zip(np.stack(scaled, axis=1), colours, strict=True):
        axes.plot(values, color=mpl.colormaps[scale["cmap"]](norm(colour)), linewidth=0.8, alpha=0.7)
    names = [_plain(dimension["label"]) for dimension in dimensions]
    axes.set_xticks(range(len(names)), names, rotation=20, ha="left")
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.set_ylim(-0.02, 1.02)
    axes.spines[:].set_visible(False)


_DRAWERS: Mapping[str, Callable[[Any, Mapping[str, Any], Any], None]] = {
    "scatter": _draw_scatter,
    "bar": _draw_bar,
    "contour": _draw_contour,
    "heatmap": _draw_heatmap,
}


def _set_axis(axes: Axes, settings: Mapping[str, Any], which: str) -> None:
    from matplotlib import ticker

    own = axes.xaxis if which == "x" else axes.yaxis
    set_limits = axes.set_xlim if which == "x" else axes.set_ylim
    own.set_label_text(_plain(settings.get("title", {}).get("text")))
    if settings.get("type") == "category":
        axes.spines[["top", "right"]].set_visible(False)
        if settings.get("categoryarray"):
            order = [_plain(name) for name in settings["categoryarray"]]
            known = [label.get_text() for label in own.get_ticklabels()]
            own.set_inverted(known == order[::-1] or settings.get("autorange") == "reversed")
        return
    if "tickvals" in settings:
        own.set_ticks(list(settings["tickvals"]), [_plain(words) for words in settings["ticktext"]])
        own.set_tick_params(labelsize="small")
    elif settings.get("tickformat") == WHOLE:
        own.set_major_locator(ticker.MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    if settings.get("range"):
        set_limits(*settings["range"])
    elif settings.get("rangemode") == "tozero":
        low, high = own.get_view_interval()
        set_limits(min(0.0, low), max(0.0, high))
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _name_traces(axes: Axes, traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> None:
    if layout.get("showlegend") is False or sum("name" in trace for trace in traces) < 2:
        return
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="small", frameon=False)


def _scale(settings: Mapping[str, Any]) -> dict[str, Any]:
    scale = settings.get("colorscale")
    name = next((known for known in _MAPS if known == scale), None) or _named_by_first_colour(scale)
    return {
        "cmap": _MAPS[name] + ("_r" if settings.get("reversescale") else ""),
        "vmin": settings["cmin"],
        "vmax": settings["cmax"],
    }


def _named_by_first_colour(scale: Any) -> str:
    # plotly replaces the name of a scale by its colours.
    first = str(scale[0][1]) if scale else ""
    return {"#440154": "Viridis", "#00224e": "Cividis"}.get(first, "Blues")


def _title(layout: Mapping[str, Any]) -> tuple[str, str]:
    title = layout.get("title", {})
    return _plain(title.get("text")), _plain(title.get("subtitle", {}).get("text"))


def _plain(words: object) -> str:
    """Return a text of plotly as one that matplotlib draws unchanged."""
    return plain(html.unescape(re.sub(r"<[^>]*>", "", str(words)))) if words else ""


def _colour(colour: str | None) -> Any:
    match = _RGBA.fullmatch((colour or "").replace(" ", ""))
    if match is None:
        return colour
    return (*(int(part) / 255 for part in match.groups()[:3]), float(match[4]))


def _on(colour: Any) -> str:
    """Return the colour of a text on a ground: white on dark, black on bright."""
    import matplotlib as mpl

    red, green, blue = mpl.colors.to_rgb(colour)
    return "white" if 0.3 * red + 0.6 * green + 0.1 * blue < 0.5 else "black"


def _numbers(values: Any) -> list[float]:
    if isinstance(values, Mapping) or not isinstance(values, Sequence):
        return [float(value) for value in _array(values).tolist()]
    return [math.nan if value is None else float(value) for value in values]


def _array(values: Any) -> NDArray[np.float64]:
    """Return numbers as an array. plotly writes arrays of numpy as base64."""
    import numpy as np

    if not isinstance(values, Mapping):
        return np.array(values, dtype=np.float64)
    numbers = np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).astype(np.float64)
    shape = [int(size) for size in str(values["shape"]).split(",")] if "shape" in values else [-1]
    return numbers.reshape(shape)
