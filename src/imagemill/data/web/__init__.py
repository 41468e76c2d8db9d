"""Files from the web, with limits on everything that a server decides, kept under their own checksum."""
