"""What would keep a site from being watched, and what could be better there."""
