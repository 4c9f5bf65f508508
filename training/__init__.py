"""The training package: a cohort of CT slices becomes a bundle that the service loads.

Data flows one way: cohort -> patches -> generators -> classifiers -> calibration -> bundle.
Never imported by the service.
"""
