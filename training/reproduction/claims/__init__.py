"""The paper's claims, and the rules that judge them."""
