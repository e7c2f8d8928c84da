"""A command that runs the cases of a folder: small programs of strangers, each with what is right for it.

``python -m tests.cases ../shared/cases`` runs each case in processes of its own, with a time limit, and prints a table.
The cases themselves lie outside of this repository.
"""
