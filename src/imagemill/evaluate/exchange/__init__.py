"""The exchange rate between a pipeline and more real data: training-size curves with and without, and the way back."""
