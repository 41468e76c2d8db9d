"""All codecs by their suffixes: imagemill's own, those that a program adds, and those of installed packages.

A package says the suffixes that it adds in the names of its entry points, so nothing of it is imported before a file of
such a suffix is met, or content that no other codec knows. What is wrong with a package is said once, as a warning, and
is an error where one of its suffixes is asked for; no other format knows of it.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from inspect import isclass

from imagemill.core.errors import CodecError, InputError, ParameterError
from imagemill.core.plugins import Plugin, plugins
from imagemill.data.codecs.base import Codec
from imagemill.data.codecs.error_guard import Guarded, cause
from imagemill.data.codecs.fitness import check_fit

__all__ = ["GROUP", "SHELF", "Shelf", "Shelved"]

GROUP = "imagemill.codecs"
"""Entry points by which packages add formats: the name is a suffix without its dot, the object a codec or its class."""


@dataclass(slots=True, eq=False)
class Shelved:
    """A codec, or a package that has one.

    Parameters
    ----------
    suffixes : tuple of str
        Those it is found by.
    codec : Guarded or None
        None before it was loaded, and where it cannot be.
    plugin : Plugin or None
        Where it comes from a package.
    fault : str
        What is wrong with it.
    told : bool
        Whether that was said.
    """

    suffixes: tuple[str, ...]
    codec: Guarded | None = None
    plugin: Plugin | None = None
    fault: str = ""
    told: bool = False

    @property
    def package(self) -> str:
        """Name and version of the package that adds it; empty for what imagemill or the program has."""
        return "" if self.plugin is None else self.plugin.package


class Shelf:
    """Codecs by their suffixes and names."""

    def __init__(self) -> None:
        self._own: dict[str, Shelved] = {}
        self._kinds: dict[str, Guarded] = {}
        self._reserved: frozenset[str] = frozenset()
        self._added: dict[str, Shelved] = {}
        self._plugins: tuple[Plugin, ...] | None = None
        self._installed: dict[str, Shelved] = {}
        self._by_suffix: dict[str, Shelved] = {}
        self._lock = threading.RLock()

    def put_own(self, codecs: Iterable[Codec], kinds: Mapping[str, str], foreign: Iterable[str]) -> None:
        """Put imagemill's own codecs in.

        Parameters
        ----------
        codecs : iterable of Codec
        kinds : mapping of str to str
            What content is called, where that is not the codec's name, and the codec that reads it.
        foreign : iterable of str
            What content is called that nobody reads; codecs have other names.
        """
        for codec in codecs:
            guarded = Guarded(codec)
            one = Shelved(tuple(codec.suffixes), guarded)
            self._own |= dict.fromkeys(one.suffixes, one)
            self._kinds[codec.name] = guarded
        self._kinds |= {kind: self._kinds[name] for kind, name in kinds.items()}
        self._reserved = frozenset((*self._kinds, *foreign))
        self._plugins = None

    def add(self, codec: Codec) -> None:
        """Add a codec of the program; one of the same name that it added before goes.

        Raises
        ------
        InputError
            When it lacks something, or another codec has its name or one of its suffixes.
        """
        if isclass(codec):
            raise InputError(f"expected a codec, got the class {codec.__name__}; write {codec.__name__}()")
        check_fit(codec, self._reserved)
        with self._lock:
            taken = {suffix: one for suffix, one in self.by_suffix().items() if one is not self._added.get(codec.name)}
            for suffix in codec.suffixes:
                if (other := taken.get(suffix)) is not None:
                    raise InputError(
                        f"expected suffixes that nobody else reads, got {suffix}, which {_who(other)} reads; "
                        "take it out"
                    )
            self._added[codec.name] = Shelved(tuple(codec.suffixes), Guarded(codec))
            self._plugins = None

    def drop(self, name: str) -> None:
        """Take out a codec that was added."""
        with self._lock:
            self._added.pop(name, None)
            self._plugins = None

    def added(self) -> tuple[Codec, ...]:
        """The codecs that the program added."""
        return tuple(one.codec.codec for one in self._added.values() if one.codec is not None)

    def by_suffix(self) -> Mapping[str, Shelved]:
        """All that is there, by suffix; loads nothing."""
        found = plugins(GROUP)
        if found is not self._plugins:
            with self._lock:
                self._installed = self._read(found)
                added = {suffix: one for one in self._added.values() for suffix in one.suffixes}
                self._by_suffix = {**self._own, **self._installed, **added}
                self._plugins = found
        return self._by_suffix

    def of_suffix(self, suffix: str) -> Guarded | None:
        """The codec of a suffix in lower case; None where there is none.

        Raises
        ------
        CodecError
            When the package that has it is broken.
        """
        one = self.by_suffix().get(suffix)
        if one is None:
            return None
        codec = self._loaded(one)
        if codec is None:
            raise CodecError(one.fault)
        return codec

    def of_kind(self, kind: str) -> Guarded | None:
        """The codec of what `sniff` calls a content."""
        if (own := self._kinds.get(kind)) is not None:
            return own
        return next((one.codec for one in self if one.codec is not None and one.codec.name == kind), None)

    def own(self, kind: str) -> Guarded:
        """The codec of imagemill for what a content is called."""
        return self._kinds[kind]

    def suffix_of(self, name: str) -> str:
        """The first suffix of a codec from outside by its name; empty for all else."""
        known = {**self._installed, **{one.suffixes[0]: one for one in self._added.values()}}
        return next((suffix for suffix, one in known.items() if one.codec is not None and one.codec.name == name), "")

    def recognised(self, start: bytes) -> str | None:
        """The name of the first codec that knows a file by its first bytes; packages are loaded to find out."""
        return next((one.codec.name for one in self if one.codec is not None and one.codec.recognises(start)), None)

    def __iter__(self) -> Iterator[Shelved]:
        """Every codec once, loaded; of what cannot be loaded is warned once."""
        for one in dict.fromkeys(self.by_suffix().values()):
            if self._loaded(one) is None and not one.told:
                one.told = True
                warnings.warn(f"{' '.join(one.suffixes)} cannot be read: {one.fault}", stacklevel=3)
            yield one

    def _read(self, found: tuple[Plugin, ...]) -> dict[str, Shelved]:
        """What packages declare. Lines that name the same object are one codec's."""
        installed: dict[str, Shelved] = {}
        codecs: dict[tuple[str, str], Shelved] = {}
        for plugin in found:
            suffix = f".{plugin.name.lower().removeprefix('.')}"
            if suffix in self._own:
                warnings.warn(
                    f"expected suffixes that nobody else reads of the package {plugin.package}, got {suffix}, which "
                    "imagemill reads itself; it goes on doing so",
                    stacklevel=2,
                )
                continue
            one = codecs.setdefault((plugin.package, plugin.point.value), Shelved((), plugin=plugin))
            if (other := installed.get(suffix)) is not None:
                both = f"{other.package} and of {plugin.package}"
                fault = f"expected one codec for {suffix}, got those of the packages {both}; uninstall one of them"
                one = Shelved((), plugin=plugin, fault=fault)
            one.suffixes = (*one.suffixes, suffix)
            installed[suffix] = one
        return installed

    def _loaded(self, one: Shelved) -> Guarded | None:
        if one.codec is None and not one.fault:
            with self._lock:
                if one.codec is None and not one.fault:
                    try:
                        one.codec = Guarded(self._load(one))
                    except (InputError, ParameterError) as error:
                        one.fault = str(error)
        return one.codec

    def _load(self, one: Shelved) -> Codec:
        assert one.plugin is not None
        codec = one.plugin.load()
        if isclass(codec):
            try:
                codec = codec()
            except Exception as error:
                raise InputError(
                    f"expected {one.plugin.point.value}() of the package {one.package} to make a codec, got "
                    f"{cause(error)}; update the package, or uninstall it"
                ) from error
        checked = check_fit(codec, self._reserved, f" of the package {one.package}")
        if unsaid := set(checked.suffixes) ^ set(one.suffixes):
            raise InputError(
                f"expected an entry point for each suffix of {type(codec).__name__} of the package {one.package}, "
                f"{' '.join(checked.suffixes)}, got those for {' '.join(one.suffixes)}; "
                f"set right {' '.join(sorted(unsaid))}"
            )
        return checked


def _who(one: Shelved) -> str:
    if one.package:
        return f"the package {one.package}"
    assert one.codec is not None
    own = type(one.codec.codec).__module__.startswith("imagemill.data.codecs.")
    return "imagemill itself" if own else f"the codec {one.codec.name!r}"


SHELF = Shelf()
"""The codecs of this process."""
