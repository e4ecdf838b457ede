"""Runs on disk: a folder of NumPy arrays beside a small JSON file, written while training goes on.

docs/record.md describes the format.  Reading order: `layout` names the files and their shapes, `files` reads and writes
them safely, and `writer` makes a record.  `metadata`, `npy` and `rows` check and read a record without NumPy, `reader`
maps its arrays.  `events` are failures, tags and notes, `process` identifies processes, and `lock` lets one at a time
train a record.  `index` finds all records under a folder, `naming` the one that a user names, `removal` removes it.
`columns` are what a user can ask about a run, `query` answers in SQL, `groups` with statistics, and `tables` formats
the answers.
"""
