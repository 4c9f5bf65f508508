"""Classified lesions -> DICOM objects that a PACS keeps, as pure functions.

`source` reads what a report refers to and inherits from the slice; `sr` words the answers as a
Comprehensive 3D SR (TID 1500); `capture` draws them for viewers that show no SR; `uids` says who
they are; `write` turns them into files. highdicom takes 20 MB and seconds to import, which a
service that is asked for no report does not pay: only `service.report.make` is imported by others,
when it is needed.
"""
