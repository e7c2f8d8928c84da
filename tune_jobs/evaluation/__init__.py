"""What follows a search: its trials on the test set, its best model in a file, its best configuration trained again.

Nothing is imported here, so that mistakes in a request are reported before Ray and TensorFlow have been imported.
"""

from __future__ import annotations
