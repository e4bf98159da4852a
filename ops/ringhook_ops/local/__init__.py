"""The whole stack on this machine."""
