"""Errors that Python has no type for."""


class _LinAlgError(RuntimeError):
    """A factorisation that does not exist: singular, not positive definite, not converging."""
