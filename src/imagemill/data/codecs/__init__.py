"""Codecs, one package per family of file formats; `registry` chooses between them."""
