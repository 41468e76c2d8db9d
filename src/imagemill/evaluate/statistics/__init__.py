"""What figures are worth: metrics of one network, intervals of differences, verdicts."""
