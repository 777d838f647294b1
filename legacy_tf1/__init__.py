"""The course's placeholder-and-session program, and the same program in TensorFlow 2; independent of tfcourse."""
