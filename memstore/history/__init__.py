"""History: branches, and what can be done with the steps that they took."""
