"""The operator's side of Ringhook: the `ringhook` command, the sandbox API and the local cloud.

Nothing here ships to Lambda.
"""
