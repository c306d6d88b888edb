"""Tests of app.why."""
