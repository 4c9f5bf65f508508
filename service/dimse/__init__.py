"""DICOM over the network: what is sent here with an annotation is classified and reported on.

    python -m service.dimse

A process of its own, from the same image as the HTTP service. `receive` is the C-STORE SCP, within
the bounds of `pdu`; `identity` reads who an object is, `spool` keeps it on disk until it is no
longer needed, `match` says which slices an annotation waits for. `work` classifies as /classify
does, by the same functions, and `send` delivers the report that was made; what is not confirmed is
sent again. `peers` says who may send and where reports go. Imports run the way the data flows.
"""
