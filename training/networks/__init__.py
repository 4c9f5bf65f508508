"""The networks of the paper and of what later work found for small data, and their training.

architectures, losses, diffaugment    what is trained, and on what terms
classifier, gan, acgan                training loops; `generators` is the table of kinds
cuda_graphs, devices                  where and how fast
ood                                   the out-of-distribution score on a classifier's features
"""
