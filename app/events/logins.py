"""What the page keeps among results (`app.web.sessions`): of this machine and this user alone."""

SESSIONS = "page-sessions.json"
"""Digests of the cookies of who is logged in."""
LOGIN = "page-login.html"
"""A private file that always leads to the page, by a link that works once."""
LOGINS = (SESSIONS, LOGIN)
