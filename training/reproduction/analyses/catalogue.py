"""All analyses, in the order of the report."""

from training.reproduction.analyses import (
    baselines,
    beyond,
    cohorts,
    controls,
    curves,
    deployment,
    diversity,
    gallery,
    nested_selection,
    paired,
    quality,
    readers,
    seeds,
    separation,
)

ANALYSES = (
    cohorts.ANALYSIS,
    beyond.ANALYSIS,
    curves.ANALYSIS,
    baselines.ANALYSIS,
    paired.ANALYSIS,
    controls.ANALYSIS,
    gallery.ANALYSIS,
    quality.ANALYSIS,
    diversity.ANALYSIS,
    readers.ANALYSIS,
    separation.ANALYSIS,
    deployment.ANALYSIS,
    nested_selection.ANALYSIS,
    seeds.ANALYSIS,
)
