"""For instructors: the places of a new stage, and what a stage must hold before learners get it.

`lab author` (new_stage.py) makes the places. `lab author check` (check.py) reads them (rules.py,
collection.py) and grades what proves the checks (submissions.py). The project's own tests hold its stages
to the same functions.
"""
