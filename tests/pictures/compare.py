#!/usr/bin/env python3
"""Holds the pictures of the sample mails against headless Chromium: similarity and difference in height, a line each.

    FLOWLOOM_PICTURES=DIR cargo test --test main pictures::sample
    python3 tests/pictures/compare.py DIR [--keep]

Needs a Chromium and the packages `pillow` and `numpy`; says so and exits 0 where one is missing, because this judges a
change of the renderer and is no gate. The browser gets the same fonts (by a fontconfig file of its own), with letters
at fractions of a pixel, as the picture has them and browsers do on phones, on macOS and on fine screens; the same image
files (the test writes their addresses); and, like the picture, no network: an image that is nowhere is a box of the same size
in both. SSIM falls with a few pixels of vertical shift: a trend, not a pass mark. On 2026-11-26, with
Chromium 156: mean 0.953 at 600 px, 0.926 at 375 px over 47 mails, every height within 2 %.
"""
import os, pathlib, re, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FONTS = ROOT / "assets" / "fonts"
# The same families as src/content/picture/fonts.rs.
FAMILIES = {
    "Mail Sans": "Arial,Helvetica,Helvetica Neue,Verdana,Geneva,Tahoma,Trebuchet MS,Lucida Grande,Lucida Sans,"
                 "Lucida Sans Unicode,Century Gothic,Futura,Gill Sans,Gill Sans MT,Calibri,Candara,Optima,sans-serif",
    "Mail Serif": "Georgia,Times,Times New Roman,Palatino,Palatino Linotype,Garamond,Didot,Bodoni MT,Hoefler Text,"
                  "Rockwell,American Typewriter,serif",
    "Mail Mono": "Courier,Courier New,Consolas,Menlo,Monaco,monospace",
    "Inter": "-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,system-ui",
}
# Families whose every cut is heavy.
HEAVY = ("Arial Black", "Impact")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(0)


def ssim(one, other, np):
    """Mean structural similarity over windows of 8 x 8 pixels. Source: Wang et al. 2004, without the Gaussian."""
    def blocks(a):
        h, w = a.shape[0] // 8 * 8, a.shape[1] // 8 * 8
        return a[:h, :w].reshape(h // 8, 8, w // 8, 8).swapaxes(1, 2).reshape(-1, 64)
    x, y = blocks(one), blocks(other)
    mx, my, vx, vy = x.mean(1), y.mean(1), x.var(1), y.var(1)
    cov = ((x - mx[:, None]) * (y - my[:, None])).mean(1)
    c1, c2 = 6.5025, 58.5225
    return float((((2 * mx * my + c1) * (2 * cov + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def boxes(html):
    """Images that are nowhere, as boxes of the size that the picture gives them (src/content/picture/placeholder.rs)."""
    def box(tag):
        tag = tag.group(0)
        if 'src="file:' in tag:
            return tag
        style = re.search(r'style="([^"]*)"', tag)
        style = style.group(1) if style else ""
        width = re.search(r'(?<![-\w])width:\s*([\d.]+(?:px|%))', style) or re.search(r'width="([\d.]+%?)"', tag)
        height = re.search(r'(?<![-\w])height:\s*([\d.]+px)', style) or re.search(r'height="(\d+)"', tag)
        unit = lambda m: m.group(1) if m and m.group(1)[-1] in "%x" else f"{m.group(1)}px" if m else None
        width, height = unit(width), unit(height)
        if "1px" in (width, height):
            return ""
        small = width and width.endswith("px") and float(width[:-2]) <= 200
        shape = f"height:{height}" if height else f"aspect-ratio:{1 if small else 16 / 9}"
        kind = "block" if "display:block" in style else "inline-block"
        return (f'<span style="{style};display:{kind};width:{width or "160px"};{shape};max-width:100%;'
                'box-sizing:border-box;border:1px dashed #9aa5b1;background:#eef1f4;vertical-align:middle"></span>')
    return re.sub(r"<img\b[^>]*>", box, html)


def page(frames):
    """Mails beside each other, each in a frame: a window is never narrower than 500 pixels, a frame is."""
    parts = "".join(f"<iframe src={name} width={width} height=600 style='border:0;display:block;position:absolute;"
                    f"left:{left}px;top:0'></iframe>" for name, width, left in frames)
    # The height is read off the document itself, and the frame made so tall. Text is set without hints.
    return (f"<body style='margin:0'>{parts}<script>onload=()=>document.querySelectorAll('iframe').forEach(f=>{{"
            "let b=f.contentDocument.body;b.style.textRendering='geometricPrecision';"
            "let h=Math.ceil(Math.max(...[b,...b.querySelectorAll('*')].map(e=>e.getBoundingClientRect().bottom)));"
            "f.dataset.h=h;f.height=Math.max(h,600)})</script>")


WIDTHS = (600, 375)
# Mails on one page of the browser.
BATCH = 6


def main():
    args = [arg for arg in sys.argv[1:] if not arg.startswith("-")]
    if len(args) != 1:
        sys.exit(__doc__)
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not browser:
        skip("there is no Chromium on this machine")
    try:
        import numpy as np
        from PIL import Image
    except ImportError as missing:
        skip(f"the Python package `{missing.name}` is not installed")
    folder = pathlib.Path(args[0])
    mails = sorted(folder.glob("*.html"))
    if not mails:
        sys.exit(f"{folder} has no mails: draw them with FLOWLOOM_PICTURES={folder} cargo test --test main pictures::sample")
    work = pathlib.Path(tempfile.mkdtemp(prefix="flowloom-compare-"))
    rules = "".join(
        f"<match target='pattern'><test name='family' qual='any'><string>{name}</string></test>"
        f"<edit name='family' mode='prepend' binding='same'><string>{ours}</string></edit></match>"
        for ours, names in FAMILIES.items() for name in names.split(","))
    rules += "".join(
        f"<match target='pattern'><test name='family' qual='any'><string>{name}</string></test>"
        "<edit name='family' mode='prepend' binding='same'><string>Mail Sans</string></edit>"
        "<edit name='weight' mode='assign'><const>bold</const></edit></match>" for name in HEAVY)
    config = work / "fonts.conf"
    config.write_text(f"<?xml version='1.0'?><fontconfig><dir>{FONTS}</dir><cachedir>{work}/cache</cachedir>{rules}</fontconfig>")
    env = dict(os.environ, FONTCONFIG_FILE=str(config))
    print(f"{'mail':<40} {'width':>5} {'SSIM':>6} {'ours':>6} {'theirs':>6} {'height':>7}")
    results = {width: [] for width in WIDTHS}
    for start in range(0, len(mails), BATCH):
        frames, left = [], 0
        for mail in mails[start:start + BATCH]:
            (work / mail.name).write_text(boxes(mail.read_text()))
            for width in WIDTHS:
                frames.append((mail, width, left, Image.open(folder / f"{mail.stem}-{width}.png").convert("L")))
                left += width
        sheet = work / "sheet.html"
        sheet.write_text(page([(mail.name, width, left) for mail, width, left, _ in frames]))
        tallest = max(ours.height for *_, ours in frames) + 600
        common = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--font-render-hinting=none",
                  "--disable-lcd-text", "--allow-file-access-from-files", "--virtual-time-budget=5000",
                  "--proxy-server=127.0.0.1:9", f"--window-size={left},{tallest}", f"--user-data-dir={work}/profile"]
        quiet = dict(env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120, check=True)
        dump = subprocess.run([*common, "--dump-dom", sheet.as_uri()], **quiet).stdout.decode()
        heights = [int(tall) for tall in re.findall(r'data-h="(\d+)"', dump)]
        subprocess.run([*common, f"--screenshot={work / 'shot.png'}", sheet.as_uri()], **quiet)
        shot = Image.open(work / "shot.png").convert("RGB")
        for (mail, width, left, ours), tall in zip(frames, heights, strict=True):
            theirs = shot.crop((left, 0, left + width, tall))
            if "--keep" in sys.argv:
                theirs.save(folder / f"{mail.stem}-{width}.chromium.png")
            canvas = [Image.new("L", (width, max(ours.height, tall)), 255) for _ in range(2)]
            for image, on in zip((ours, theirs.convert("L")), canvas):
                on.paste(image, (0, 0))
            value = ssim(*(np.asarray(c, dtype=float) for c in canvas), np)
            off = (ours.height - tall) / tall * 100
            results[width].append((value, off))
            print(f"{mail.stem:<40} {width:>5} {value:>6.3f} {ours.height:>6} {tall:>6} {off:>+6.1f}%")
    for width, values in results.items():
        similar = sum(v for v, _ in values) / len(values)
        near = sum(abs(off) <= 10 for _, off in values)
        print(f"{width} px: SSIM mean {similar:.3f}; height within 10 %: {near} of {len(values)}")
    shutil.rmtree(work)


main()
