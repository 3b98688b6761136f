"""From a syntax tree to code for the machine."""
