"""Response clocks: terms that a hop is born with, touches, and what is due."""
