"""Benchmarks: ``make bench`` or ``make bench WHAT=saves,search``; what is compared runs in turns."""
