"""What may be wrong with a prepared data set although every file of it can be read."""
