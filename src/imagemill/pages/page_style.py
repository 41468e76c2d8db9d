"""Colours and rules of pages: for light and dark screens, from a phone to paper.

Colours are values here and not in the rules, so that a test can work out the contrast of every pair.
"""

from __future__ import annotations

__all__ = ["DARK", "LEVELS", "LIGHT", "LINES", "TEXT_ON", "contrast", "style"]

LIGHT = {
    "ink": "#1b1b1f", "quiet": "#55555e", "paper": "#ffffff", "panel": "#f3f3f6", "line": "#d4d4db",
    "axis": "#85858f", "good": "#00664a", "bad": "#a33100", "warn": "#855000", "link": "#1f4fbf",
    "s0": "#4a4a53", "s1": "#1f5fd0", "s2": "#b04a00", "s3": "#00734f", "s4": "#a3237f", "s5": "#6a4bc4",
}  # fmt: skip
DARK = {
    "ink": "#ededf1", "quiet": "#adadb7", "paper": "#151518", "panel": "#222227", "line": "#3d3d45",
    "axis": "#7d7d88", "good": "#55cfa6", "bad": "#ff9f68", "warn": "#f5cf6b", "link": "#9dbcff",
    "s0": "#c0c0c9", "s1": "#7fb0ff", "s2": "#ffa860", "s3": "#4fd0a0", "s4": "#ff8fd4", "s5": "#bda6ff",
}  # fmt: skip
TEXT_ON = {
    "ink": ("paper", "panel"), "quiet": ("paper", "panel"), "good": ("paper", "panel"), "bad": ("paper", "panel"),
    "warn": ("paper", "panel"), "link": ("paper", "panel"),
}  # fmt: skip
"""What is written in which colour on what."""
LINES = ("s0", "s1", "s2", "s3", "s4", "s5")
"""Colours of lines in plots; each has a dash pattern of its own besides."""
LEVELS = 7
"""Steps of a heat map, the lowest of which is the panel itself."""
_DASHES = ("none", "none", "7 3", "2 3", "9 3 2 3", "5 2")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21.

    Notes
    -----
    Source: Web Content Accessibility Guidelines 2.2, W3C, definitions of contrast ratio and relative luminance.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return round((brighter + 0.05) / (darker + 0.05), 4)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def levels(colours: dict[str, str]) -> list[tuple[str, str]]:
    """The ground and the text of each step of a heat map."""
    low, high = (_parts(colours[name]) for name in ("panel", "s1"))
    found = []
    for step in range(LEVELS):
        share = step / (LEVELS - 1)
        ground = "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(low, high, strict=True))
        found.append((ground, max(("#000000", "#ffffff"), key=lambda text: contrast(text, ground))))
    return found


def _parts(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def style(*, whole: bool = True) -> str:
    """The style sheet; ``whole`` is for a page of its own, otherwise for a fragment within another page."""
    rules = [
        ".im{color-scheme:light dark;" + _variables(LIGHT) + "}",
        "@media (prefers-color-scheme:dark){.im{" + _variables(DARK) + "}}",
        # Paper is white, whatever the screen is.
        "@media print{.im{color-scheme:light;" + _variables(LIGHT) + "}}",
        _BLOCKS,
        *(
            f".im .s{number}{{stroke:var(--s{number});stroke-dasharray:{dash}}}.im .f{number}{{fill:var(--s{number})}}"
            for number, dash in enumerate(_DASHES)
        ),
        *(f".im .h{step}{{fill:var(--h{step})}}.im .t{step}{{fill:var(--t{step})}}" for step in range(LEVELS)),
    ]
    return "\n".join([*rules, _PAGE] if whole else rules)


def _variables(colours: dict[str, str]) -> str:
    named = {**colours}
    for step, (ground, text) in enumerate(levels(colours)):
        named[f"h{step}"], named[f"t{step}"] = ground, text
    return "".join(f"--{name}:{colour};" for name, colour in named.items())


_BLOCKS = """
.im{background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.im *{box-sizing:border-box}
.im h2{font-size:22px;line-height:1.3;margin:52px 0 8px;padding-top:18px;border-top:1px solid var(--line)}
.im h3{font-size:17px;line-height:1.35;margin:30px 0 4px}
.im h2,.im h3,.im p,.im li,.im figcaption,.im summary{overflow-wrap:anywhere}
.im td,.im th{overflow-wrap:break-word}
.im p{margin:8px 0;max-width:74ch}
.im a{color:var(--link)}
.im .quiet,.im figcaption,.im caption{color:var(--quiet);font-size:14px}
.im .good{color:var(--good);font-weight:600}
.im .bad{color:var(--bad);font-weight:600}
.im .warn{color:var(--warn);font-weight:600}
.im .mark{display:inline-block;min-width:1.15em}
.im figure{margin:18px 0}
.im figcaption{margin-top:6px;max-width:84ch}
.im img{max-width:100%;height:auto;border:1px solid var(--line);border-radius:4px;background:#fff;
  image-rendering:pixelated}
.im img.photo{image-rendering:auto}
.im .scroll{overflow-x:auto;margin:14px 0;max-width:100%}
.im table{border-collapse:collapse;font-size:15px;font-variant-numeric:tabular-nums}
.im caption{text-align:left;padding:0 0 6px}
.im th,.im td{text-align:left;vertical-align:top;padding:5px 22px 5px 0;border-bottom:1px solid var(--line);
  min-width:3.2em;max-width:46ch}
.im caption span{display:block;position:sticky;left:0;max-width:min(74ch,calc(100vw - 44px))}
.im .whole{white-space:nowrap}
.im th{font-weight:600}
.im .n{text-align:right}
.im td.n{white-space:nowrap}
.im pre{margin:0;padding:12px 14px;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--panel);
  border-radius:6px;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.im .code{margin:12px 0}
.im .code>div{margin-bottom:4px}
.im details{margin:8px 0}
.im summary{cursor:pointer;color:var(--link);padding:4px 0}
.im .panels{display:grid;gap:10px 28px;
  grid-template-columns:repeat(auto-fill,minmax(min(310px,100%),1fr));margin:14px 0}
.im .panels figure{margin:6px 0;min-width:0}
.im .pictures{display:flex;flex-wrap:wrap;gap:14px 16px;list-style:none;margin:12px 0;padding:0}
.im .pictures li{max-width:124px;font-size:13px;line-height:1.35}
.im .pictures img{display:block;margin-bottom:4px;max-width:112px;max-height:150px}
.im .large li{flex:0 1 232px;min-width:150px;max-width:232px}
.im .large img{max-width:100%;max-height:260px}
@media(max-width:480px){.im .large{gap:14px 12px}.im .large li{flex-basis:45%}}
.im .verdict{font-size:19px}
.im .first h2{margin-top:20px;padding-top:14px}
.im .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:14px;list-style:none;
  margin:12px 0;padding:0}
.im .cards li{display:flex;flex-direction:column;justify-content:space-between;gap:10px;padding:12px 14px;
  background:var(--panel);border-radius:8px;min-width:0}
.im .cards h3{margin:2px 0;font-size:17px}
.im .cards p{margin:0;font-size:14.5px;line-height:1.4;display:-webkit-box;-webkit-box-orient:vertical;
  -webkit-line-clamp:5;overflow:hidden}
.im .thumbs{display:flex;flex-wrap:wrap;gap:6px;overflow:hidden;height:58px;flex:none}
.im .thumbs img{height:58px;width:auto;max-width:none;flex:none}
.im .find{display:flex;flex-wrap:wrap;gap:8px 18px;align-items:center;margin:14px 0 0;font-size:15px}
.im .find input,.im .find select,.im .find button{font:inherit;color:var(--ink);background:var(--paper);
  border:1px solid var(--axis);border-radius:5px;padding:5px 9px;max-width:100%}
.im .find button:disabled{color:var(--quiet);border-color:var(--line)}
.im .searched th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cursor:pointer;
  text-align:left}
.im .searched th button::after{content:" ↕";color:var(--quiet)}
.im .searched th[aria-sort=ascending] button::after{content:" ↑"}
.im .searched th[aria-sort=descending] button::after{content:" ↓"}
.im svg{display:block;max-width:100%;height:auto;overflow:visible}
.im svg text{font:12.5px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--ink)}
.im svg .quiet{fill:var(--quiet);font-size:12px}
.im svg .strong{font-weight:600}
.im svg .good{fill:var(--good)}
.im svg .bad{fill:var(--bad)}
.im svg .rule{stroke:var(--line);stroke-width:1;fill:none}
.im svg .axis{stroke:var(--axis);stroke-width:1;fill:none}
.im svg .guide{stroke:var(--axis);stroke-width:1;stroke-dasharray:4 3;fill:none}
.im svg .bar{stroke:var(--ink);stroke-width:2.5;fill:none}
.im svg .outer{stroke:var(--axis);stroke-width:1;fill:none}
.im svg .dot{fill:var(--ink);stroke:var(--paper);stroke-width:1}
.im svg .hollow{fill:var(--paper);stroke:var(--ink);stroke-width:1.6}
.im svg .curve{fill:none;stroke-width:2.2;stroke-linejoin:round}
.im svg .thin{fill:none;stroke-width:1;opacity:.55;stroke-linejoin:round}
.im svg .band{stroke:none;opacity:.16}
.im .legend{display:flex;flex-wrap:wrap;gap:2px 18px;margin:4px 0 0;padding:0;list-style:none;font-size:13.5px}
.im .legend svg{display:inline-block;vertical-align:middle;margin-right:6px}
.im .narrow{display:none}
@media (max-width:700px){.im .wide{display:none}.im .narrow{display:block}.im h2{margin-top:40px}
 .im .cards{grid-template-columns:1fr;gap:8px}.im .cards li{flex-direction:row;padding:8px 12px}
 .im .cards h3{font-size:16px;display:inline;margin-left:8px}.im .cards p{-webkit-line-clamp:2;font-size:14px}
 .im .thumbs{flex-wrap:nowrap;width:106px;height:50px;align-self:center;gap:6px}
 .im .thumbs img{height:50px;width:50px;object-fit:cover}.im .thumbs img:nth-child(n+3){display:none}
 .im .cards li>div:first-child{min-width:0}}
.im :focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
.im .said{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media print{
 .im .wide{display:block}.im .narrow{display:none}.im .scroll{overflow:visible}
 .im figure,.im tr,.im .pictures li{break-inside:avoid}.im h2,.im h3,.im caption{break-after:avoid}
 .im details.screen:not([open]){display:none}.im .find{display:none}.im .cards p{-webkit-line-clamp:none}
 .im .searched th button::after{content:""!important}
}
"""

_PAGE = """
body{margin:0}
.page{max-width:1120px;margin:0 auto;padding:30px 20px 64px}
.page h1{font-size:30px;line-height:1.2;margin:0 0 10px;overflow-wrap:anywhere}
.page nav ul{margin:18px 0 0;padding:0;list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;font-size:15px}
.page main:focus{outline:none}
.page footer{margin-top:52px;color:var(--quiet);font-size:14px}
.skip{position:absolute;left:-9999px}
.skip:focus{position:static;display:inline-block;padding:6px 0}
@media print{.page{max-width:none;padding:0}.page nav,.skip{display:none}.im{font-size:10.5pt}@page{margin:16mm}}
"""
