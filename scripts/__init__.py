"""What writes parts of the docs; neither shipped nor imported by anything."""
