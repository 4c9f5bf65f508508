"""The report's figures: arrays and results in, pictures out."""
