"""The operator table and its rows.

Importing it switches NumPy's floating-point warnings off: infinities and nan are ordinary values
here, as in PyTorch, which never warns of them.
"""

import numpy as np

np.seterr(all="ignore")
