"""Tables with a row for each image or each annotation, in any of their file formats.

`formats` reads cells from files and writes them, `columns` decides what a column says, `cells` reads one cell,
`rows` makes records of rows.
"""
