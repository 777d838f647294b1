"""What a trained model goes by: permutation importance, partial dependence, and where it is surest and wrong."""
