"""Texts in place of an experiment file: hardly Python, or Python that changes what is around it."""

from __future__ import annotations

TEXTS = (
    *(
        "",
        "\n",
        "#",
        "x = 1\n",
        "EXPERIMENT = 1\n",
        "import nothing_like_this\n",
        "from . import x\n",
        "import blobs\nEXPERIMENT = blobs.EXPERIMENT\n",
    ),
    *(
        "# -*- coding: nothing -*-\n",
        "# -*- coding: utf-16 -*-\n",
        "# coding: rot13\nx\n",
        "x = (\n",
        "  x\n",
        "\tif 1:\n  x\n",
        "\0",
        "x = '\0'\n",
    ),
    *(
        "é = 1\n",
        "def f():\n" * 200,
        "(" * 300,
        "(" * 5000,
        "-" * 50_000 + "1",
        "x" + ".x" * 50_000,
        "[" * 90 + "]" * 90 + "\n",
        "1" + "+1" * 20_000,
    ),
    *(
        "if 1:\n" + " " * 200_000,
        "x = " + "9" * 5000 + "\n",
        "raise\n",
        "return 1\n",
        "await x\n",
        "yield 1\n",
        "from __future__ import braces\n",
    ),
    *("import sys; sys.modules[__name__] = 1\n", "del __name__\n", "__name__ = 1\n", "__doc__ = 1\n", "__dict__ = 1\n"),
    *(
        "import sys; sys.setrecursionlimit(50)\n",
        "import sys; sys.path.clear()\n",
        "import sys; sys.stdout = None\n",
    ),
    *(
        "import sys; sys.stderr = None\n",
        "import warnings; warnings.simplefilter('error')\n",
        "import builtins; builtins.x = 1\n",
        "def __getattr__(n): raise KeyError(n)\n",
    ),
    *("def f(): f()\nf()\n",),
    *(
        "import signal, os; os.kill(os.getpid(), signal.SIGINT)\n",
        "import gc; gc.disable()\n",
        "import locale; locale.setlocale(locale.LC_ALL, 'C')\n",
    ),
)
