"""The replay of searches in worlds whose learning curves are known without training."""
