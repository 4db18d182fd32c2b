//! The page's style: quiet on the screen, right on paper. The brand gives one colour and the face of headings.

use crate::{content::Brand, report::look::Rgb};

/// The face of everything that is no heading.
const FACE: &str = "Inter,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif";

/// The style sheet for a brand.
pub(super) fn style(brand: &Brand, accent: Rgb) -> String {
    let headings = [brand.heading_font.as_str(), brand.font.as_str()].into_iter().find(|font| is_stack(font));
    let headings = headings.unwrap_or(FACE);
    format!(":root{{--accent:{accent};--face:{FACE};--head:{headings}}}{STYLE}")
}

/// Whether it is a list of faces and nothing that could end a rule.
fn is_stack(font: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | ',' | '\'' | '-' | '_');
    !font.trim().is_empty() && font.chars().all(plain) && font.matches('\'').count() % 2 == 0
}

const STYLE: &str = "\
:root{--ink:#1b2033;--muted:#5c6379;--line:#dfe3eb;--soft:#f6f7fa;--bad:#b3261e;--warn:#8a5200}\
*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}\
body{margin:0;background:#fff;color:var(--ink);font:15px/1.6 var(--face);-webkit-print-color-adjust:exact;print-color-adjust:exact}\
main{max-width:940px;margin:0 auto;padding:72px 40px 96px}\
p{margin:0 0 6px}a{color:inherit;text-decoration:none}a:hover{text-decoration:underline}\
h1,h2{font-family:var(--head);font-weight:600;letter-spacing:-.012em;color:var(--accent)}\
h1{font-size:46px;line-height:1.12;margin:0 0 18px;max-width:16em;overflow-wrap:break-word}\
h2{font-size:27px;line-height:1.25;margin:0 0 22px;padding-top:22px;border-top:2px solid var(--accent)}\
h2 .no{display:inline-block;min-width:1.7em;font-weight:400;opacity:.55}\
h3{font-size:18px;line-height:1.35;margin:34px 0 6px;font-weight:650}h4{font-size:15px;margin:24px 0 6px}\
h5{font-size:13px;font-weight:600;color:var(--muted);margin:22px 0 8px}\
section{margin-top:72px}.intro{max-width:66ch;color:var(--muted);margin:0 0 20px}\
.muted{color:var(--muted)}.small{font-size:12.5px}.bad{color:var(--bad)}.warn{color:var(--warn)}\
code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace;overflow-wrap:anywhere}\
.cover{min-height:74vh;display:flex;flex-direction:column}\
.brand{font:600 17px/1.3 var(--head);color:var(--accent);min-height:34px}.brand img{display:block;max-height:72px;height:auto;width:auto}\
.title{margin:auto 0;padding:56px 0 40px}.over{color:var(--muted);font-weight:600;margin-bottom:10px}\
.lead{font-size:18px;line-height:1.55;color:var(--muted);max-width:38em}\
.facts{display:flex;flex-wrap:wrap;gap:14px 56px;margin:0 0 32px}.facts dt{font-size:12.5px;color:var(--muted)}.facts dd{margin:0;font-weight:550}\
.facts code,footer code{font-size:13px;letter-spacing:.02em}\
nav{border-top:1px solid var(--line);padding-top:20px}nav ol{columns:2;column-gap:48px;margin:0;padding:0 0 0 1.3em;color:var(--muted)}\
nav li{padding:3px 0}nav a{color:var(--ink)}\
.figures{list-style:none;display:flex;flex-wrap:wrap;gap:8px 44px;margin:0 0 26px;padding:0;color:var(--muted)}\
.figures b{display:block;font:600 32px/1.15 var(--head);color:var(--ink);font-variant-numeric:tabular-nums}\
.say{font-size:17px;line-height:1.5;max-width:46em;margin-bottom:8px}\
.details{margin:4px 0 0;padding-left:1.1em;color:var(--muted)}.details li{padding:1px 0}\
.rules{margin:26px 0 0}.rules div,.lines div{display:grid;grid-template-columns:180px 1fr;gap:20px;padding:9px 0;border-top:1px solid var(--line)}\
.rules dt,.lines dt{color:var(--muted)}.rules dd,.lines dd{margin:0;overflow-wrap:anywhere}\
.flow{margin:0}.flow svg{display:block;max-width:100%;height:auto;margin:0 auto}.paper{display:none}\
table{border-collapse:collapse;width:100%;font-size:13.5px;line-height:1.5}\
thead th{text-align:left;font-weight:600;color:var(--muted);border-bottom:1.5px solid var(--ink);padding:0 18px 7px 0;vertical-align:bottom}\
td{border-bottom:1px solid var(--line);padding:10px 18px 10px 0;vertical-align:top;overflow-wrap:break-word}\
td:last-child,th:last-child{padding-right:0}td p:last-child{margin-bottom:0}\
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
.steps td:first-child{width:44px}.steps td:last-child{width:31%}.kind{font-size:12px;font-weight:600;margin:0}.name{font-weight:650;font-size:15px;margin:0 0 3px}\
.remark{color:var(--muted);font-style:italic;margin-top:5px}.port{display:inline-block;color:var(--muted);min-width:3.2em}\
.badge{display:inline-block;min-width:22px;padding:0 6px;border-radius:11px;background:#eceef3;color:var(--muted);font:600 11.5px/20px var(--face);text-align:center;font-variant-numeric:tabular-nums}\
.tags td:nth-child(1){width:20%}.tags td:nth-child(2){width:25%}.tags td:nth-child(3){width:17%}.tags{table-layout:fixed}.tags td:last-child p{margin:0 0 2px;font-size:12.5px}\
.losses td:first-child{width:26%}.mark{font-size:12px;font-weight:600;border:1px solid currentColor;border-radius:5px;padding:0 6px;margin-right:4px;white-space:nowrap}\
.losses td p{margin:3px 0 0}\
.message{margin-bottom:56px}.message h3{font-size:20px}.lines{margin:12px 0 20px}\
.tag{background:#eef0f6;border-radius:4px;padding:1px 4px;font-size:.94em}\
.mails{display:grid;gap:22px;align-items:start}.of-1{grid-template-columns:minmax(0,420px)}.of-2{grid-template-columns:repeat(2,minmax(0,1fr))}.of-3{grid-template-columns:repeat(3,minmax(0,1fr))}\
.mail{margin:0}.mail figcaption{margin-bottom:10px;font-size:13px;line-height:1.45}.mail figcaption p{margin:0}\
.who{font-weight:600}.subject{font-weight:600;margin-top:8px!important}.preheader{color:var(--muted)}\
.mail img,.mail iframe{display:block;width:100%;border:1px solid var(--line);border-radius:6px}.mail iframe{width:600px;height:1300px;background:#fff;zoom:.46}.of-1 iframe{zoom:.7}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;font:12px/1.55 var(--face);color:var(--ink);background:var(--soft);border-radius:6px;padding:12px 14px}\
.texts{font-size:12.5px}.sms{font-size:13.5px}\
.setup{padding-left:1.3em}.setup>li{padding:5px 0 9px}.setup>li::marker{color:var(--muted)}.setup ul{margin:2px 0 0;padding-left:1.1em}.setup p{margin:0}\
footer{margin-top:88px}.sign{display:grid;grid-template-columns:2fr 1fr 2fr;gap:36px;margin:64px 0 28px}.sign div{border-top:1px solid var(--ink);padding-top:6px;color:var(--muted);font-size:12.5px}\
.full{color:var(--muted);font-size:12.5px}\
@media (max-width:720px){main{padding:40px 20px 64px}h1{font-size:34px}.of-2,.of-3{grid-template-columns:minmax(0,1fr)}.rules div,.lines div{grid-template-columns:1fr;gap:2px}nav ol{columns:1}table{font-size:13px}}\
@page{size:A4;margin:18mm 17mm 20mm}\
@media print{\
body{font-size:10pt;line-height:1.5}main{max-width:none;padding:0}a:hover{text-decoration:none}\
.cover{min-height:0;height:250mm;break-after:page}section{margin-top:0;padding-top:2mm;break-before:page}\
#times,#limits{break-before:auto;margin-top:14mm}\
h1{font-size:34pt}h2{font-size:18pt;padding-top:4mm;margin-bottom:5mm}h3{font-size:12.5pt}h2,h3,h4,h5{break-after:avoid}\
table{font-size:8.8pt}thead{display:table-header-group}tr,.rules div,.lines div,.setup li li,.sign,.mail{break-inside:avoid}.setup b{break-after:avoid}\
.figures b{font-size:22pt}.say{font-size:11.5pt}.lead{font-size:12pt}code{font-size:8pt}\
.screen{display:none}.paper{display:block}.sheet{margin:0;break-inside:avoid;break-after:page}.sheet:last-child{break-after:auto}.sheet svg{display:block;width:100%;height:auto;max-height:238mm}\
.flow svg{max-height:222mm}\
.mails{gap:5mm}.mail img{max-height:196mm;object-fit:contain;object-position:top left}.mail figcaption,pre{font-size:8pt}\
.message+.message{break-before:page}.message{margin-bottom:0}.message h3{font-size:14pt;margin-top:0}\
.texts{break-before:auto}.texts>div{break-inside:auto}footer{break-inside:avoid;margin-top:18mm}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_cannot_end_the_style() {
        assert!(is_stack("Georgia, 'Times New Roman', serif"));
        for bad in ["", "x;}body{display:none", "</style>", "'a", "url(https://x)"] {
            assert!(!is_stack(bad), "{bad}");
        }
    }
}
