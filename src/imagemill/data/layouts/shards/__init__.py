"""Layouts that keep many images in one file, one after the other: TFRecord, WebDataset, tar, zip."""
