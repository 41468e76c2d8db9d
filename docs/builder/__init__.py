"""The documentation site: which pages it has, what of them is generated, and how it is built.

``python -m docs.builder`` builds it. What needs no Sphinx (pages, links, notebooks) the tests read as well.
"""
