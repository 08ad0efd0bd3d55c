"""What model calls cost: a dated list of prices, and the person's own before it."""
