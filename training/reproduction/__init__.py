"""The paper's experiments: what to compute, where results are kept, who computes them.

    presets -> plan -> tasks -> engine -> store -> results
                         ^                  |
                         +---- select <-----+

A *task* is one thing to compute (a cohort's patches, a generator, a classifier of one fold and arm)
as a pure function of its configuration and of the tasks that it needs. The engine computes what the
store lacks. Plans come in stages: which group of augmentations is best is known only when the
classic arms are done (paper 4.2).
"""
