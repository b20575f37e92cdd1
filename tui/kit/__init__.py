"""What panels share: sheets of facts, words, and how faults of machines and links are offered and told."""
