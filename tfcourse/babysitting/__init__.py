"""One training watched and changed while it runs: journal, checkpoints, commands, replay."""
