"""Is a dataset fit to train on: one look at every image, then every check."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from imagemill.audits.attribute_table import AttributesGiven, with_attributes
from imagemill.audits.audit_page import as_fragment, as_page
from imagemill.audits.checks.annotation_faults import check_annotations
from imagemill.audits.checks.base import Check, NotAsked, many
from imagemill.audits.checks.copies import check_copies
from imagemill.audits.checks.counts import check_counts
from imagemill.audits.checks.drift import check_order
from imagemill.audits.checks.group_leaks import check_groups
from imagemill.audits.checks.identity import check_identity
from imagemill.audits.checks.label_map_faults import check_label_maps
from imagemill.audits.checks.label_pieces import check_label_pieces
from imagemill.audits.checks.licensing import check_licences
from imagemill.audits.checks.outliers import check_outliers
from imagemill.audits.checks.populations import check_populations
from imagemill.audits.checks.quality import check_quality
from imagemill.audits.checks.scan_integrity import check_scans
from imagemill.audits.checks.scan_outliers import check_scan_set
from imagemill.audits.checks.shortcuts import check_shortcuts
from imagemill.audits.checks.variety.attribute_shares import check_attributes
from imagemill.audits.checks.variety.classes_shown import check_variety
from imagemill.audits.checks.wrong_labels import check_wrong_labels
from imagemill.audits.given import Given
from imagemill.audits.given_features import given_features
from imagemill.audits.label_check import CheckedLabel
from imagemill.audits.manifest_actions import new_manifest
from imagemill.audits.networks.own_network import NETWORK, OwnNetwork
from imagemill.audits.page_pictures import PagePictures
from imagemill.audits.settings import Settings
from imagemill.audits.survey import Survey, survey
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.findings import LEVELS, Finding, worst_first
from imagemill.core.looking import looked
from imagemill.core.near_words import takes
from imagemill.data.as_source import source_of
from imagemill.data.atomic import atomic_path
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.dataset import Dataset
from imagemill.data.layouts.base import Source
from imagemill.jobs.threads import Progress

__all__ = ["CHECKS", "Audit", "audit"]

_IN_REPR = 20

SCHEMA = 1
"""Of `Audit.to_dict`: a number that grows when a name in it is taken away or comes to mean something else."""

CHECKS: dict[str, Check] = {
    "quality": check_quality,
    "copies": check_copies,
    "counts": check_counts,
    "variety": check_variety,
    "attributes": check_attributes,
    "shortcuts": check_shortcuts,
    "labels": check_wrong_labels,
    "outliers": check_outliers,
    "annotations": check_annotations,
    "label-maps": check_label_maps,
    "label-pieces": check_label_pieces,
    "scans": check_scans,
    "scan-set": check_scan_set,
    "groups": check_groups,
    "order": check_order,
    "identity": check_identity,
    "licences": check_licences,
    "populations": check_populations,
}
"""Every check by its name."""


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """What an audit found.

    Parameters
    ----------
    survey : Survey
        What was seen of every image.
    findings : tuple of Finding
        The worst first.
    not_asked : tuple of NotAsked
        Questions that this dataset does not let one ask, and why.
    check_of : mapping of str to str
        The check that each rule belongs to.
    """

    survey: Survey
    findings: tuple[Finding, ...]
    not_asked: tuple[NotAsked, ...]
    check_of: Mapping[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Whether one can train on it, in one sentence."""
        counts = Counter(finding.level for finding in self.findings)
        if counts["error"]:
            return f"not as it is: {many(counts['error'], 'finding')} to mend first"
        if counts["warning"]:
            return (
                f"yes, once {many(counts['warning'], 'warning')} {'is' if counts['warning'] == 1 else 'are'} looked at"
            )
        return "yes: nothing was found that speaks against it"

    def of_level(self, level: str) -> tuple[Finding, ...]:
        """Findings of a level, or of a worse one.

        Raises
        ------
        ParameterError
        """
        if level not in LEVELS:
            raise ParameterError(f"expected a level of {', '.join(LEVELS)}, got {level!r}")
        return tuple(f for f in self.findings if LEVELS.index(f.level) <= LEVELS.index(level))

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        survey, other = self.survey, self.survey.given.against
        return {
            "schema": SCHEMA,
            "images": len(survey.records),
            "read": len(survey.seen),
            "layout": survey.source.layout,
            "against": None if other is None else {"images": len(other.records), "read": len(other.seen)},
            "verdict": self.verdict,
            "findings": [
                {**finding.to_dict(), "check": self.check_of.get(finding.rule, "")} for finding in self.findings
            ],
            "not_asked": [{"rule": one.rule, "because": one.because} for one in self.not_asked],
            "clusters": [
                {"images": list(survey.keys(one.rows)), "how": one.how, "keep": one.why} for one in survey.clusters
            ],
            "pairs": survey.told_pairs(),
            "settings": asdict(survey.settings),
            "notes": list(survey.source.notes),
            "labels": [one.to_dict() for one in self.labels if one.given != one.suggested or one.wrong > 0.5],
        }

    def to_frame(self) -> pl.DataFrame:
        """One row a finding: level, rule, check, message, how many images it names, those, and what to do."""
        found = self.findings
        return pl.DataFrame(
            {
                "level": [one.level for one in found],
                "rule": [one.rule for one in found],
                "check": [self.check_of.get(one.rule, "") for one in found],
                "message": [one.message for one in found],
                "images": [len(one.places) for one in found],
                "places": [list(map(str, one.places)) for one in found],
                "advice": [one.advice for one in found],
            },
            schema_overrides={"images": pl.Int64, "places": pl.List(pl.String)},
        )

    @property
    def labels(self) -> tuple[CheckedLabel, ...]:
        """Every label that was checked, the most probably wrong first; none where labels were not asked about."""
        return self.survey.checked_labels if "checked" in vars(self.survey) else ()

    def write(self, path: Path | str) -> None:
        """Write `to_dict` as JSON."""
        with atomic_path(Path(path)) as part:
            part.write_text(json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n", "utf-8")

    def save_html(self, path: Path | str) -> None:
        """Write the page: one file that needs no network, with the images that show each finding."""
        with atomic_path(Path(path)) as part:
            part.write_text(as_page(self), "utf-8")

    def plot(self, n: int = 12, *, rule: str | Finding | None = None, columns: int | None = None) -> Any:
        """Draw images that show what was found, the worst findings first, each with the rule it is an example of.

        Parameters
        ----------
        n : int
            How many at most.
        rule : str or Finding, optional
            Of this finding alone, with boxes and label maps.
        columns : int, optional
            Pictures in a row.

        Returns
        -------
        Drawing, ``(H, W, 3)`` uint8
            An array that notebooks show, with ``save(path)`` and ``show()``.

        Raises
        ------
        InputError
            Where no finding of that rule names an image.
        """
        wanted = rule.rule if isinstance(rule, Finding) else rule
        found = [one for one in self.findings if wanted in (None, one.rule) and one.places]
        pictures = PagePictures(self.survey, n)
        each = n if wanted is not None else max(1, n // max(1, len(found)))
        made = [
            (figure.rgb, f"{one.rule}: {figure.caption}")
            for one in found
            for figure in pictures.of(map(str, one.places[:each]), annotated=wanted is not None)
        ]
        if not made:
            rules = ", ".join(dict.fromkeys(one.rule for one in self.findings if one.places)) or "none"
            if wanted is None:
                raise InputError("expected findings that name images, got none; print(audit) says what was found")
            raise InputError(f"expected a finding that names images, got {wanted!r}; those that do: {rules}")
        return looked(made, "sheet_of_pictures", columns=columns, title=f"{many(len(made))} of what was found")

    def show(self, n: int = 12, *, rule: str | Finding | None = None, columns: int | None = None) -> None:
        """As `plot`, shown at once: below the cell of a notebook, else in the system's viewer of pictures."""
        self.plot(n, rule=rule, columns=columns).show()

    def _repr_html_(self) -> str:
        return as_fragment(self)

    def apply(self, actions: Sequence[str], path: Path | str) -> Mapping[str, int]:
        """Write a new manifest (``.csv`` or ``.parquet``) with what is to be kept; no image is touched.

        Parameters
        ----------
        actions : sequence of str
            ``"drop-duplicates"`` keeps the first image of each cluster; ``"quarantine-corrupt"`` leaves out what
            cannot be read or was cut off, ``"quarantine-dark"`` and so on what a rule of quality names (flat, dark,
            light, blurred, noisy, low-information, odd-size); ``"regroup"`` gives copies one group, so that a split
            keeps them together; ``"none-of-these"`` gives images that look like nothing else a class of that name.
            ``"review"``, alone, lists the images that findings name, with those rules, for people.
        path : Path or str

        Returns
        -------
        mapping of str to int
            How many images each action concerned.
        """
        return new_manifest(self.survey, self.findings, actions, Path(path))

    def again(
        self,
        *,
        checks: Sequence[str] | str | None = None,
        settings: Mapping[str, Any] | Settings | None = None,
        stage: Callable[[str], object] | None = None,
    ) -> Audit:
        """Ask anew, with other checks or thresholds, of what was seen: no image is read again.

        Parameters
        ----------
        checks, settings, stage
            As for `audit`.
        """
        return _asked(replace(self.survey, settings=_settings(settings)), _names(checks), stage)

    def __repr__(self) -> str:
        head = f"{many(len(self.survey.records))}, {self.survey.source.layout}. Fit to train on? {self.verdict}"
        shown = [str(finding) for finding in self.findings[:_IN_REPR]]
        more = len(self.findings) - len(shown)
        last = [f"and {more:,} more: to_frame() has all"] if more else []
        if self.not_asked:
            last.append(f"{many(len(self.not_asked), 'question')} not asked: not_asked says why")
        return "\n".join([head, *shown, *last])


@takes
def audit(
    dataset: Any,
    *,
    against: Any = None,
    attributes: AttributesGiven | None = None,
    attribute_shares: Mapping[str, float | str] | None = None,
    features: Any = None,
    checks: Sequence[str] | str | None = None,
    settings: Mapping[str, Any] | Settings | None = None,
    workers: int = 2,
    on: str | None = None,
    progress: Progress | None = None,
    stage: Callable[[str], object] | None = None,
    **options: Any,
) -> Audit:
    """Find out whether a dataset is fit to train on.

    Parameters
    ----------
    dataset : Dataset, Path, str, or whatever `open` takes
        In any layout.
    against : the same, optional
        Other images, such as those that the network will see in use: do they differ, and in what.
    attributes : Path, str, mapping or sequence, optional
        Attributes of the images (colour, stage, hospital...): a CSV, TSV, JSON, JSON Lines, Parquet or Arrow file with
        a column of keys or file names; values by key; or rows.
    attribute_shares : mapping, optional
        By column the least share that each of its values should have within a class, or what it holds: ``"colour"``
        (0.1), ``"feature"`` (0.05) or ``"stage"`` (0.2). Left out, its name says which.
    features : Path, str, array or callable, optional
        What wrong labels and outliers are told from, in place of what is learnt from the images: a file ``.npy``,
        ``.npz``, ``.parquet`` or ``.csv`` (with a column of keys, or in the order of the dataset), a network
        ``.onnx``, an array ``[n, d]``, or a function of images ``[n, 224, 224, 3]`` uint8 that gives ``[n, d]``. Or
        ``"network"``: wrong labels are told by small networks trained on the images themselves, each image by one that
        never saw it (extra ``torch``; a quarter of an hour of one core for 60,000 small images).
    checks : sequence of str, or str, optional
        Those of `CHECKS` to run; all when left out.
    settings : mapping or Settings, optional
        Thresholds by name.
    workers : int
        How many decode.
    on : str, optional
        What the workers are: ``"threads"`` when left out, ``"processes"``, ``"ray"`` for a Ray cluster of this machine
        that is ended with the call, ``"ray://HOST:PORT"``, or ``"daft"``.
    progress : callable, optional
        Called with how many images were looked at, and how many there are.
    stage : callable, optional
        Called with the name of each check before it is asked, and with what takes long and how long.
    **options
        As for `open`, such as ``layout``, ``masks``, ``axes``; of these ``axes`` alone holds for ``against`` too, which
        may be a `Dataset` that was opened with options of its own.

    Returns
    -------
    Audit

    Raises
    ------
    SourceError
        When nothing can be made of the path.
    ParameterError
        For a check or setting that is not there.
    InputError
        For attributes or features that cannot be read, or that name no image.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from imagemill.data import Picture, write_picture
    >>> draws = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat/1.png", "dog/1.png"):
    ...         write_picture(Path(folder) / name, Picture(draws.integers(0, 256, (32, 32), np.uint8), "yx"))
    ...     _ = (Path(folder) / "dog/2.png").write_bytes((Path(folder) / "cat/1.png").read_bytes())
    ...     found = audit(folder)
    >>> [finding.rule for finding in found.findings]
    ['contradiction', 'copies', 'few', 'licence']
    """
    names, asked = _names(checks), _settings(settings)
    axes = options.get("axes")
    look = partial(survey, settings=asked, options=ReadOptions(axes=axes), workers=workers, on=on, progress=progress)
    source, attributed = with_attributes(_source(dataset, options), attributes, attribute_shares)
    # Before anything is looked at: what is wrong with them is said at once.
    own = OwnNetwork(ReadOptions(axes=axes)) if _is_network(features) else None
    described = None
    if features is not None and own is None:
        described = given_features(features, source.records, ReadOptions(axes=axes))
    # What `options` say is said of the dataset; other images may lie in another layout.
    beside = None if against is None else look(_source(against, {} if axes is None else {"axes": axes}))
    seen = look(source, given=Given(against=beside, attributes=attributed, features=described, network=own))
    return _asked(seen, names, stage)


def _is_network(features: Any) -> bool:
    return isinstance(features, str | Path) and str(features) == NETWORK


def _names(checks: Sequence[str] | str | None) -> Sequence[str]:
    given = [checks] if isinstance(checks, str) else list(CHECKS) if checks is None else checks
    if wrong := sorted(set(given) - set(CHECKS)):
        raise ParameterError(f"expected checks of {', '.join(CHECKS)}, got {', '.join(wrong)}")
    return given


def _settings(given: Mapping[str, Any] | Settings | None) -> Settings:
    return given if isinstance(given, Settings) else Settings.of(dict(given or {}))


def _asked(seen: Survey, names: Sequence[str], stage: Callable[[str], object] | None) -> Audit:
    """Every check of these names, in the order of `CHECKS`."""
    seen = replace(seen, stage=stage)
    found, not_asked, check_of = list[Finding](), list[NotAsked](), dict[str, str]()
    for name, check in CHECKS.items():
        if name not in names:
            continue
        if stage is not None:
            stage(name)
        for one in check(seen):
            if isinstance(one, Finding):
                found.append(one)
                check_of[one.rule] = name
            else:
                not_asked.append(one)
    return Audit(seen, tuple(worst_first(found)), tuple(not_asked), check_of)


def _source(what: Any, options: Mapping[str, Any]) -> Source:
    return what.to_source() if isinstance(what, Dataset) else source_of(what, **options)
