"""Which labels to check, and which texts to label next."""
