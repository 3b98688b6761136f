"""Linear algebra: factorisations, linear systems, norms and functions of matrices.

LAPACK does the numerical work, through NumPy and SciPy; SciPy is imported by the first function
that needs it. Formulas are compositions of rows, so they differentiate again.
"""
