#!/usr/bin/env bash
# plotly: a page written without settings offers to upload its figure, though plotly's Python half takes that offer for switched off.
#
# Versions: plotly 7.1.0, Python 3.11.
# Surprise: `to_html` takes a missing `showSendToCloud` for False: it keeps the address of the upload out of the page. The plotly.js
#   that the same package puts into that page takes a missing `showSendToCloud` for True, and brings the address itself. So a report that was
#   written for readers of one house has a button that sends the figure's data away; only an explicit False removes it.
# Seen: "written into the page: nothing; plotly.js: shown true, address https".
# Exit status: 0 while plotly behaves so, 1 when it does not any more.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "plotly==7.1.0"
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import re
import sys

from plotly import graph_objects, offline

figure = graph_objects.Figure(graph_objects.Scatter(y=[1, 2, 3]))
# The Python half alone: the page without the bundled script.
page = figure.to_html(include_plotlyjs=False, config={"plotlyServerURL": "https://charts.example"})
written = [name for name in ("showSendToCloud", "plotlyServerURL", "charts.example") if name in page]
# The script's half: the values that its own table of settings gives to what a page leaves out.
script = offline.get_plotlyjs()
shown = re.search(r'showSendToCloud:\{valType:"boolean",dflt:!(\d)\}', script)
address = re.search(r'plotlyServerURL:\{valType:"string",dflt:"(\w*)', script)
is_shown = bool(shown) and shown.group(1) == "0"
scheme = address.group(1) if address else ""
print(f"written into the page: {', '.join(written) or 'nothing'}; plotly.js: shown {str(is_shown).lower()}, address {scheme}")
sys.exit(0 if not written and is_shown and scheme == "https" else 1)
PY
