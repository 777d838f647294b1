"""What a command is to the system around it: its arguments and exit status, streams, signals, Keras's own settings."""
