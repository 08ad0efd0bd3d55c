"""What a prompt is about: guessed from words by rules, or by a person's own function."""
