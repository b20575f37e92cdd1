"""The terminal: what it can do (`capability`), and how not to drown it (`gate`, `driver`)."""
