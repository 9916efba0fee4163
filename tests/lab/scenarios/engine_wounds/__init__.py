"""What is wrong with the engine itself: its data root, its records, its layers, its pulls."""
