"""Layouts that are folders of files: classes, lists, pairs, cases of several files, series, VOC, nnU-Net."""
