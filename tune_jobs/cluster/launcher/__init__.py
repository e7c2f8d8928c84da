"""The launcher file of a cluster, which ``ray up`` reads."""
