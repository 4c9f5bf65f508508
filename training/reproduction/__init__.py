"""The paper, reproduced: what to compute, what it finds, and how it is told.

    preset -> analyses -> tasks -> scheduler -> artifacts -> results.json -> report
                 ^                                  |
                 +------------ selection <----------+

`experiments` runs all of it in three stages: which group of augmentations is best is known only
when the classic arms are done (paper 4.2). `analyses` are the paper's tables and figures, one
module each; `tasks` are the kinds of work that they ask of `training.pipeline`; `claims` holds the
paper's claims and the rules that judge them. Nothing else in `training` imports this package.
"""
