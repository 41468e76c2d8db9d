"""A volume of 128^3 float32 with a label map: turned, scaled, shifted and deformed."""

from __future__ import annotations

from bench.harness import Contestant, Run, Workload
from bench.workloads import volumes as v

# Displacements of up to about 8 voxels everywhere, each library in its own words.
CELLS, STRENGTH, REACH = 5, 0.3, 7.5


def _ours(scan: v.Scan) -> Run:
    import imagemill as im

    return v.ours([*v.affine_transforms(), im.Elastic(STRENGTH, cells=CELLS)], scan)


def _torchio(scan: v.Scan) -> Run:
    import torchio as tio

    elastic = tio.RandomElasticDeformation(num_control_points=CELLS + 2, max_displacement=REACH)
    return v.torchio(tio.Compose([tio.RandomAffine(**v.torchio_affine()), elastic]), scan)


def _torchio_one(scan: v.Scan) -> Run:
    import torchio as tio

    elastic = {"num_control_points": CELLS + 2, "max_displacement": REACH}
    both = tio.RandomAffineElasticDeformation(affine_kwargs=v.torchio_affine(), elastic_kwargs=elastic)
    return v.torchio(both, scan)


def _batchgenerators(scan: v.Scan) -> Run:
    return v.batchgenerators(
        scan, p_elastic_deform=1, elastic_deform_scale=(0.1, 0.1), elastic_deform_magnitude=(REACH, REACH)
    )


def _monai(scan: v.Scan) -> Run:
    from monai.transforms import Rand3DElasticd

    return v.monai(Rand3DElasticd(sigma_range=(12, 12), magnitude_range=(300, 300), **v.monai_settings()), scan)


WORKLOADS = (
    Workload(
        "volume-elastic",
        "Volume 128^3 float32 and labels: affine and elastic",
        "volume",
        v.scan,
        (
            Contestant("imagemill", _ours, 1, ours=True),
            Contestant("TorchIO RandomAffine, RandomElasticDeformation", _torchio, 1, ("torchio",), budget=50),
            Contestant(
                "TorchIO RandomAffineElasticDeformation",
                _torchio_one,
                1,
                ("torchio",),
                note="both as one, which the user must know to say",
            ),
            Contestant("batchgeneratorsv2 SpatialTransform", _batchgenerators, 1, ("batchgeneratorsv2",), budget=12),
            Contestant("MONAI Rand3DElasticd", _monai, 1, ("monai",)),
        ),
        v.EXPECTS,
        note="Displacements reach about 8 voxels everywhere; each library draws its own field.",
        quick=False,
    ),
)
