"""What this machine has, and whether what we compute is what plain transformers computes."""
