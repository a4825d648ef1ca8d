"""Training data: read in the forms that people have, checked line by line, kept in one form."""
