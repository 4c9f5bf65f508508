"""What reports are made of: tables, figures, and how numbers are written."""
