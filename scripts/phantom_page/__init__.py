"""`python -m scripts.phantom_page`: the figures and pictures of docs/phantom.md."""
