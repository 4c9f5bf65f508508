"""What tasks compute, one kind to a file: thin, from arrays to arrays."""
