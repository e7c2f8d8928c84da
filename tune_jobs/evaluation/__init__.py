"""The steps after a search: trials on the test set, the best model in a file, the best configuration trained again.

Nothing is imported here, so that mistakes in a request are reported before Ray and TensorFlow have been imported.
"""

from __future__ import annotations
