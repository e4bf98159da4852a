"""A call's way from due to ended: what is read, decided, claimed, asked and written."""
