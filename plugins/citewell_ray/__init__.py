"""Ray: documents read on the workers of a cluster."""
