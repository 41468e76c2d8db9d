"""What has a row for each thing in a picture, and moves with its pixels: polygons, rotated boxes, instance masks."""
