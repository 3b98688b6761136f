"""What PyTorch answered: `python -m tests.recorded` asks it, `test_answers` asks this project.

The calls are the samples of the operator table (`table`), those written down in `calls/`, programs
drawn from seeds, and records with their answers in `conformance/`.
"""
