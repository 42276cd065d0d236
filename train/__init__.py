"""Entry points: flags -> objects -> one library call."""
