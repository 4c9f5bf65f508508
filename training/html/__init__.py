"""What reports are made of: tables, figures, sections, and the page that holds them."""
