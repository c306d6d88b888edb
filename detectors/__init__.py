"""What is unusual in a frame: frames, boxes, anomaly maps and the detectors that make them."""
