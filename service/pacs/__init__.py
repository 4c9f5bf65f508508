"""PACS that the configuration names: instances pulled by WADO-RS, reports sent by STOW-RS.

`config` reads who they are, `client` talks to one, within bounds; `related` reads and writes
multipart/related; `reference` is a request that names what to pull.

Plain httpx, not dicomweb-client: that reads an answer whole, however large, follows redirects to
wherever they lead, waits without a deadline, and has no asynchronous form.
"""
