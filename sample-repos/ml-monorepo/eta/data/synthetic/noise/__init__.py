"""Sources of noise, in modules of their own."""
