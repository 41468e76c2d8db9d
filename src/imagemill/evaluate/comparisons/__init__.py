"""Arms against each other, over seeds: designs, what is kept of each run, what the differences say."""
