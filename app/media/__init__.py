"""Pictures and video files that are written."""
