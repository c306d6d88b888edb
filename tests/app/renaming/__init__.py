"""Tests of app.renaming."""
