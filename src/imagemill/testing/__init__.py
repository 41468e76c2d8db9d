"""What tests of pipelines, transforms and backends need: generated inputs, and checks that explain themselves.

``pip install 'imagemill[testing]'`` brings hypothesis, which the strategies use; the checks need nothing.
"""

from imagemill.testing.backend_contract import check_backend
from imagemill.testing.bombs import hostile_archives, hostile_files, hostile_texts
from imagemill.testing.checks import assert_backends_agree, assert_same_plan
from imagemill.testing.codec_contract import check_codec, codec_pictures
from imagemill.testing.damage import cut, cuts, damaged, flipped, sealed
from imagemill.testing.layout_contract import check_layout, layout_sources
from imagemill.testing.made_pictures import label_map, picture
from imagemill.testing.samples import sample_datasets, sample_files
from imagemill.testing.strategies import frames, images, pipelines, transforms, transforms_of, volumes
from imagemill.testing.transform_contract import check_transform

__all__ = [
    "assert_backends_agree",
    "assert_same_plan",
    "check_backend",
    "check_codec",
    "check_layout",
    "check_transform",
    "codec_pictures",
    "cut",
    "cuts",
    "damaged",
    "flipped",
    "frames",
    "hostile_archives",
    "hostile_files",
    "hostile_texts",
    "images",
    "label_map",
    "layout_sources",
    "picture",
    "pipelines",
    "sample_datasets",
    "sample_files",
    "sealed",
    "transforms",
    "transforms_of",
    "volumes",
]
