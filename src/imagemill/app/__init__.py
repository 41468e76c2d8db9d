"""The command line and its reports; they call public functions only."""
