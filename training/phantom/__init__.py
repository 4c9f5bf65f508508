"""The phantom: simulated portal-phase CT of livers with cysts, metastases and hemangiomas.

It stands in for the cohort of the paper (2.1), which is not public. Nothing here is a patient, and
no figure measured on it is clinical evidence. Every number is drawn from the literature or from the
measurements in docs/phantom.md, cited where it stands, and was fixed before any network was
trained on the result.

scanner, geometry -> anatomy, vessels, lesions -> placing, canvas -> patient -> cohort -> dicom
                    mimics, phases -> placing, canvas -> neighbours
"""
