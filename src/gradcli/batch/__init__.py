"""Many questions at once: records, their answers, and what goes through them."""
