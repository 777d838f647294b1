"""From a file or a name to float32 matrices: sources, split, features, minibatches."""
