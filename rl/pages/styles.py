"""The frame and the look of the pages: what rl.tools.page and rl.sweeps.comparison_page fill in.

Plain HTML and CSS, nothing from elsewhere.
"""

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
      content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>__TITLE__</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --page: #f7f7f5; --card: #fff; --ink: #1d1d1f; --soft: #63636a; --edge: #e3e3df;
      --line: #eeeeea;
        --accent: #0072b2; --good: #1a7f4b; --weak: #9a6700; --bad: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --page: #141416; --card: #1d1d20; --ink: #ececee; --soft: #a3a3aa; --edge: #313136; --line: #29292d;
          --accent: #6cb8e8; --good: #5cc28b; --weak: #e0b252; --bad: #f28b82; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--page); color: var(--ink);
       font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Hiragino Sans", "Yu Gothic UI", "Noto Sans CJK JP",
             "Noto Sans JP", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 56px 24px 40px; }
h1 { font-size: clamp(1.8rem, 1.2rem + 2.6vw, 2.7rem); line-height: 1.15; letter-spacing: -.02em; font-weight: 650;
      margin: 0 0 12px; }
h2 { font-size: 1.2rem; line-height: 1.35; margin: 0; font-weight: 650; }
code, pre { font: .86em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
h2 code, td code { color: var(--soft); font-weight: 400; }
a { color: inherit; text-decoration: none; }
a:hover code, a:hover span { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 4px; }
.lede { max-width: 44rem; margin: 0; color: var(--soft); font-size: 1.05rem; }
.lede [lang=ja] { display: block; margin-top: 6px; font-size: .95rem; }
.summary { display: grid; grid-template-columns: repeat(3, auto); justify-content: start; gap: 20px 56px;
      margin: 36px 0 32px; }
.summary div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.summary dt { color: var(--soft); font-size: .9rem; }
.summary dt span { margin-left: .6em; font-size: .85em; }
.summary dd { margin: 0; font-size: 1.9rem; line-height: 1.25; font-weight: 600; letter-spacing: -.02em;
      font-variant-numeric: tabular-nums; }
.note { margin: 0 0 24px; padding: 12px 16px; border: 1px solid var(--edge); border-left: 3px solid var(--weak);
      border-radius: 8px; background: var(--card); }
.card, section { background: var(--card); border: 1px solid var(--edge); border-radius: 14px; }
.card { padding: 6px 20px; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: baseline; padding: 9px 12px 9px 0; border-bottom: 1px solid var(--line);
      font-weight: 400; overflow-wrap: anywhere; }
tbody tr:last-child > * { border-bottom: 0; }
.overview td:first-child span { display: inline-block; min-width: 14.5em; }
.overview td:last-child { text-align: right; padding-right: 0; white-space: nowrap; }
.overview .wide { color: var(--soft); font-size: .93rem; }
.overview .wide b { color: var(--ink); font-weight: 600; }
.number, .figures td, .time, b { font-variant-numeric: tabular-nums; }
.overview .number { white-space: nowrap; text-align: right; padding-right: 24px; color: var(--soft); }
.state { font-size: .85rem; white-space: nowrap; }
.state::before { content: ""; display: inline-block; width: .55em; height: .55em; margin-right: .5em;
      border-radius: 50%; background: currentColor; }
.reached { color: var(--good); } .missed { color: var(--weak); } .failed, .problem { color: var(--bad); }
section { margin-top: 24px; padding: 26px 28px 28px; scroll-margin-top: 16px; }
section > header { display: flex; flex-wrap: wrap; gap: 4px 16px; justify-content: space-between;
      align-items: baseline; margin-bottom: 14px; }
h2 code { margin-left: .35em; font-size: .8em; }
.columns { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); gap: 28px 40px; align-items: start; }
.columns.single { grid-template-columns: minmax(0, 1fr); }
.single .figures { max-width: 34rem; }
.single pre { max-height: none; }
.words > :first-child { margin-top: 0; }
.question { margin: 0 0 4px; }
.japanese { margin: 0 0 18px; color: var(--soft); font-size: .93rem; }
.figures { margin-bottom: 18px; font-size: .95rem; }
.figures th[scope=row] { color: var(--soft); min-width: 7.5em; }
.figures thead th { white-space: nowrap; color: var(--soft); font-size: .82rem; padding-top: 0; }
.figures thead [lang=ja] { font-size: .95em; margin-left: .25em; }
.figures b { font-weight: 600; }
.figures td, .figures th { padding: 7px 14px 7px 0; overflow-wrap: break-word; }
.absent { color: var(--soft); opacity: .6; }
.small { color: var(--soft); font-size: .88rem; margin: 0 0 10px; }
.small code { overflow-wrap: anywhere; }
.time { margin-right: .9em; color: var(--ink); }
.problem { overflow-wrap: anywhere; }
details { margin-top: 10px; }
summary { cursor: pointer; color: var(--accent); font-size: .9rem; width: fit-content; padding: 6px 0; }
pre { margin: 6px 0 0; padding: 14px 16px; max-height: 26rem; overflow: auto; background: var(--page);
      border: 1px solid var(--line); border-radius: 8px; font-size: .76rem; }
.pictures { display: grid; gap: 20px; }
figure { margin: 0; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: .85rem; margin-top: 8px; }
.plot img { max-height: 27rem; border-radius: 8px; }
.game { border-radius: 8px; border: 1px solid var(--edge); max-height: 320px; image-rendering: pixelated; }
iframe { width: 100%; height: 640px; border: 1px solid var(--edge); border-radius: 8px; margin-top: 6px; }
.about { margin-top: 40px; display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px 40px;
      color: var(--soft); font-size: .9rem; }
.about h2 { font-size: 1rem; color: var(--ink); }
.about dl { margin: 8px 0 0; }
.about dl div { display: grid; grid-template-columns: 8.5em minmax(0, 1fr); padding: 3px 0; }
.about dd { margin: 0; overflow-wrap: anywhere; color: var(--ink); }
.about p { grid-column: 1 / -1; margin: 16px 0 0; max-width: 46rem; }
@media (prefers-color-scheme: dark) {
  .plot img { filter: invert(.885) hue-rotate(180deg); } }
@media (max-width: 760px) {
  main { padding: 32px 16px; }
  .summary { grid-template-columns: repeat(2, auto); gap: 18px 36px; margin: 26px 0; }
  .summary dd { font-size: 1.5rem; }
  .card { padding: 4px 16px; }
  section { padding: 20px 16px 20px; border-radius: 12px; margin-top: 16px; }
  .columns, .about { grid-template-columns: minmax(0, 1fr); }
  .overview .wide { display: none; }
  .overview td:first-child span { display: block; min-width: 0; font-size: .95rem; }
  .overview .number { display: none; }
  .figures td, .figures th { padding-right: 8px; }
  .single pre { max-height: 24rem; } }
@media print { body { background: none; } section { break-inside: avoid; } details:not([open]) { display: none; } }
</style>
</head>
"""

PAGE = (
    HEAD
    + """<body>
<main>
<h1>Ten articles, run again</h1>
<p class="lede">Each article's figures beside those of this machine. No deep-learning framework took part.
<span lang="ja">10本の記事を、深層学習フレームワークなしで実行した結果です。各記事の数値と並べています。</span></p>
<dl class="summary">__SUMMARY__</dl>
__QUICK__
<div class="card"><table class="overview"><caption hidden>All articles</caption><tbody>
__OVERVIEW__</tbody></table></div>
__SECTIONS__
<footer class="about">
<div><h2>The machine</h2><dl>__MACHINE__</dl></div>
<div><h2>Versions</h2><dl>__VERSIONS__</dl></div>
<p>__DATE__, seed __SEED__. Times are those of the whole command, with loading, compiling and drawing.
Figures marked &ldquo;&ndash;&rdquo; are not in the article. The bandit&rsquo;s are the spread of its listing over several runs.</p>
</footer>
</main>
</body>
</html>
"""
)
