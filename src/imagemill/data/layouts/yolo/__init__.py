"""YOLO: text files beside pictures, and what a folder of them says besides boxes."""
