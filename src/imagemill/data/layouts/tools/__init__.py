"""The files of annotation tools: labelme, CVAT, Label Studio, VIA. Read only."""
