"""What each transform of another library is here: one table for each library, a function for each of its names."""
