"""Generators of embedded data sets.

A data set card with `source: {access: generated, generator: NAME}` is served by the module `NAME` of this
package, which writes one item in raw form with `write_item(root, subset, index, seed)`. Every item has a
random generator of its own, so items do not depend on their order.
"""
