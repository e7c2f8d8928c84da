"""The page as HTML: its scripts, its style and its data in one text that loads nothing."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

_SCRIPTS = ("base.js", "figures.js", "table.js", "trial.js", "print.js")
_MAIN = "main.js"


def asset(name: str) -> str:
    """Return the text of a file that lies beside this module."""
    return (files("tune_jobs.report.page") / name).read_text(encoding="utf-8")


def plotly_script() -> bytes:
    """Return the script of plotly that draws in the browser."""
    import plotly

    return (files(plotly) / "package_data" / "plotly.min.js").read_bytes()


def packed(content: bytes) -> str:
    """Return bytes as the page unpacks them: compressed, as base64."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def page_html(source: str, parts: Sequence[tuple[str, str]], connects: str = "'none'") -> str:
    """Return the page.

    Args:
        source: The name of the script that brings the data.
        parts: Texts that stand in the page, by the id of their element. They must not hold ``<``.
        connects: The places that the page may speak to, as a Content Security Policy writes them.
    """
    nonce = secrets.token_urlsafe(16)
    # plotly's WebGL compiles functions of its own; no text of a run ever becomes code.
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}' 'unsafe-eval'; style-src 'unsafe-inline'; "
        f"img-src data: blob:; connect-src {connects}; base-uri 'none'; form-action 'none'"
    )
    script = "\n".join(map(asset, (*_SCRIPTS, source, _MAIN)))
    held = "\n".join(f'<script type="text/plain" id="{name}">{content}</script>' for name, content in parts)
    html = asset("page.html")
    for mark, content in (("POLICY", policy), ("STYLE", asset("page.css")), ("NONCE", nonce), ("PARTS", held)):
        html = html.replace(f"@{mark}@", content)
    return html.replace("@SCRIPT@", script)


def json_text(content: Any) -> str:
    """Return JSON in which no number is NaN."""
    return json.dumps(content, allow_nan=False, separators=(",", ":"))
