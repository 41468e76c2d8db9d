"""The file formats of tables: from a file to cells, and back."""
