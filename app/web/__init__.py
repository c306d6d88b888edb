"""What a browser, a script or Prometheus is shown of cameras, and the door before it."""
