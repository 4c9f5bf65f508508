"""From trained weights to a bundle: graphs, parity, golden vectors, manifest, model card."""
