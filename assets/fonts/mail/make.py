#!/usr/bin/env python3
"""Makes the fonts of the mail pictures from their sources: fewer scripts, names of our own. Needs fonttools and brotli.

    apt-get download fonts-liberation2 fonts-inter && for d in *.deb; do dpkg -x "$d" x; done
    npm pack @fontsource/gelasio && mkdir -p g && tar xzf fontsource-gelasio-*.tgz -C g
    npm pack @expo-google-fonts/noto-emoji && mkdir -p e && tar xzf expo-google-fonts-noto-emoji-*.tgz -C e
    python3 make.py DIR_WITH_X_G_AND_E OUT_DIR

Liberation reserves its name for unchanged copies, so the parts have names of ours; what they are stands in
../../README.md.
"""
import pathlib, sys, tempfile
from fontTools import merge, subset
from fontTools.ttLib import TTFont

src, out = map(pathlib.Path, sys.argv[1:3])
LIBERATION = src / "x/usr/share/fonts/truetype/liberation2"
INTER = src / "x/usr/share/fonts/opentype/inter"
GELASIO = src / "g/package/files"
EMOJI = src / "e/package/400Regular/NotoEmoji_400Regular.ttf"
# Latin, Greek, Cyrillic, punctuation, currencies, arrows, a few signs that mails use
TEXT = "U+0020-024F,U+0259,U+02B0-02FF,U+0300-036F,U+0370-03FF,U+0400-045F,U+0490-0491,U+1E00-1EFF,U+2000-206F," \
    "U+2070-209F,U+20A0-20C0,U+2100-214F,U+2150-218F,U+2190-21FF,U+2200-22FF,U+25A0-25FF,U+2600-27BF,U+FB01-FB02,U+FFFD"
STYLES = [("Regular", 400, False), ("Bold", 700, False), ("Italic", 400, True), ("BoldItalic", 700, True)]


# All pictures that the text fonts lack, and what stands in keycaps; no private signs
SIGNS = "U+0023,U+002A,U+0030-0039,U+00A9,U+00AE,U+200D,U+20E3,U+2194-21AA,U+2300-23FF,U+24C2,U+25AA-25FE," \
    "U+2600-27BF,U+2934-2935,U+2B05-2B55,U+3030,U+303D,U+3297,U+3299,U+FE0E-FE0F,U+1F000-1FAFF"


def save(font, family, style, text=TEXT):
    options = subset.Options(layout_features=["kern", "liga", "ccmp", "locl", "mark", "mkmk", "calt", "tnum", "pnum"],
                             hinting=False, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14], notdef_outline=True)
    part = subset.Subsetter(options)
    part.populate(unicodes=subset.parse_unicodes(text))
    part.subset(font)
    shown = {"BoldItalic": "Bold Italic"}.get(style, style)
    for record in font["name"].names:
        text = {1: family, 2: shown, 3: f"{family} {shown}", 4: f"{family} {shown}",
                6: f"{family}-{style}".replace(" ", "")}.get(record.nameID)
        if text:
            record.string = text
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames[0] = f"{family}-{style}".replace(" ", "")
        top = cff.topDictIndex[0]
        top.FamilyName, top.FullName = family, f"{family} {shown}"
    font["name"].names = [r for r in font["name"].names if r.nameID not in (16, 17, 21, 22)]
    target = out / f"{family.replace(' ', '')}-{style}.{'otf' if 'CFF ' in font else 'ttf'}"
    font.save(target)
    print(target.name, target.stat().st_size)


for style, weight, italic in STYLES:
    for kind in ("Sans", "Mono"):
        save(TTFont(LIBERATION / f"Liberation{kind}-{style}.ttf"), f"Mail {kind}", style)
    parts = []
    for block in ("latin", "latin-ext", "vietnamese"):
        font = TTFont(GELASIO / f"gelasio-{block}-{weight}-{'italic' if italic else 'normal'}.woff")
        font.flavor = None
        for table in ("DSIG", "MATH", "gasp", "prep", "fpgm", "cvt "):
            if table in font:
                del font[table]
        part = pathlib.Path(tempfile.mkdtemp()) / f"{block}.ttf"
        font.save(part)
        parts.append(str(part))
    save(merge.Merger().merge(parts), "Mail Serif", style)
    if style != "Regular":
        save(TTFont(INTER / f"Inter-{style}.otf"), "Mail Interface", style)
save(TTFont(EMOJI), "Mail Emoji", "Regular", SIGNS)
