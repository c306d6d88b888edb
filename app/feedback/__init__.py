"""What people say of events, and what a run makes of it."""
