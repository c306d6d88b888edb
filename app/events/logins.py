"""What the page keeps in a folder of results (`app.web.sessions`): of this machine and this user."""

SESSIONS = "page-sessions.json"
"""Digests of the cookies of who is logged in."""
LOGIN = "page-login.html"
"""A private file that always leads to the page, by a link that works once."""
LOGINS = (SESSIONS, LOGIN)
