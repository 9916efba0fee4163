"""What nginx passes on by its configuration, and what users meet where it tells too little."""
