"""Import this before NumPy: linear algebra on one thread, so that ratios compare code with code."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
