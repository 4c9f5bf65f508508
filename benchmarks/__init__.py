"""What the service costs over the bare functions that it wraps, as ratios side by side.

`machine` chooses the cores, `server` starts the service on one of them, `client` loads it from
another, `bare` times the functions alone where the service ran, `parts` says what is asked and what
it is held against, `rounds` takes turns, `report` puts it into words. Run: `make bench`.
"""
