"""Where records come from: files, lists, folders, and the masks beside them."""
