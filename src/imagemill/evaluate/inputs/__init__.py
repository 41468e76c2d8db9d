"""What experiments are made on: training and test images, arms that change the first, populations of the second."""
