"""What is usual where, at which hour: learned from what a camera saw before."""
