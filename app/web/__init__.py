"""What a browser, a script or Prometheus is shown of the cameras of this process."""
