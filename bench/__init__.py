"""What Ringhook costs: `python -m bench` measures it and writes RESULTS.md."""
