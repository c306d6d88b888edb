"""ROS 2 without ROS: its topics over DDS."""
