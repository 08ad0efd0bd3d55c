"""The daemon's regular work: what there is (``table``), when it is due, and who does it."""
