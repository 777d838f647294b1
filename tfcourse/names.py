"""The activations and optimizers that specs and search spaces may name."""

ACTIVATIONS = ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh", "sigmoid", "softplus", "linear")
OPTIMIZERS = ("sgd", "rmsprop", "adam", "adamw")
