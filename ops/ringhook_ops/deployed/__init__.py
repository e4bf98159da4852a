"""A deployed stack: where its parts are, and what its ledger says."""
