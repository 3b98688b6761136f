"""What PyTorch answered: `python -m tests.recorded` asks it, `test_answers` asks this project."""
