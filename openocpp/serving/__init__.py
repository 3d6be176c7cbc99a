"""What roles that accept charge points have in common: central system and local controller."""
