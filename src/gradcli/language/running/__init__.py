"""The machine that runs compiled code, and the functions that programs define."""
