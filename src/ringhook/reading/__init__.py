"""What somebody wrote, as a value: a body, a text, a time, a number, a country, an expression."""
