"""Ringhook: a webhook arrives; the right person's phone rings, once, at a lawful hour."""
