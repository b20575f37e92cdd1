"""Keys to numbers: the hash functions of real systems, and the default of this library."""
