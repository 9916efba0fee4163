"""What is looked at where no command heals: it decides between the causes."""
