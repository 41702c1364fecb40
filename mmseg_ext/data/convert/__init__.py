"""Converters from a source's layout to the prepared form, one module a layout.

Each converter offers `find_pairs(card, root)` to list the cases without reading them, `count_bytes(pair)`
for the room a case needs, and `convert(pair, card)` to read one case.

Any data in one of these layouts can be used without code: write `configs/datasets/<dataset>.yaml` with
`source: {access: local, path: FOLDER}`, the layout's name and the classes with the values they have in the
labels.
"""
