"""The simulated shop, and the demonstration that runs on it."""
