"""The run folder and what is measured for it."""
