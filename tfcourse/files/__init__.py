"""Files that are never half written, and never believed before they are checked."""
