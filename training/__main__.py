"""`python -m training VERB`: see `training.cli`."""

from training.cli import main

if __name__ == "__main__":  # worker processes import it, too
    main()
