"""Two populations of images beside each other, one measure at a time, with chance and class shares accounted for."""
