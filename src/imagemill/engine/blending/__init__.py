"""What it means that samples are put together: pixels, label maps, annotations and labels of several as one."""
