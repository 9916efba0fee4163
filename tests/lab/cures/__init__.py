"""Pages followed to the letter, and causes that are cured to see what they caused."""
