"""Tests of app.backups."""
