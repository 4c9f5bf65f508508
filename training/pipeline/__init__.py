"""Tasks and what computes them, and the cross-validated run that a bundle is made of.

tasks, artifacts, scheduler, ray_scheduler, origin   results by digest, on this machine or on Ray
cross_validation, train_networks, checkpoints        a bundle's run, which can be cut anywhere
"""
