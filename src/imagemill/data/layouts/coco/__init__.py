"""COCO: reading, the places of its pictures, writing."""
