"""The tables that ship, made from their sources."""
