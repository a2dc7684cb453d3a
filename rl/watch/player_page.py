"""The HTML player of a recording: what animation.page fills in.

Plain HTML, CSS and JavaScript, nothing from elsewhere.
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>__TITLE__</title>
<style>
:root { color-scheme: light dark; --page: #fafafa; --ink: #1c1c1e; --soft: #66666b; --card: #fff; --edge: #d9d9de;
        --bar: #9cc7e6; --best: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --page: #161618; --ink: #f0f0f2; --soft: #a5a5ab; --card: #222226; --edge: #3a3a40; --bar: #2f5d7c; --best: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 16px; background: var(--page); color: var(--ink); font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 760px; margin: 0 auto; }
h1 { font-size: 1.1rem; margin: 0 0 12px; overflow-wrap: anywhere; }
.show { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; }
canvas { flex: 0 1 auto; max-width: 100%; border: 1px solid var(--edge); border-radius: 6px; background: #000; }
canvas.pixels { image-rendering: pixelated; }
.side { flex: 1 1 240px; min-width: 0; }
dl { display: flex; gap: 24px; margin: 0 0 12px; }
dl div { min-width: 4.5em; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.measure { color: var(--soft); font-size: .8rem; margin: 0 0 4px; }
.row { display: grid; grid-template-columns: 5.5em 1fr 5.5em; gap: 8px; align-items: center; padding: 2px 0; }
.row span:last-child { text-align: right; font-variant-numeric: tabular-nums; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.track { height: 12px; border-radius: 3px; background: color-mix(in srgb, var(--edge) 50%, transparent); overflow: hidden; }
.fill { height: 100%; width: 0; background: var(--bar); }
.row.chosen { font-weight: 600; }
.row.chosen .fill { background: var(--best); }
.controls { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-top: 14px; }
.controls input { flex: 1 1 100%; accent-color: var(--best); height: 28px; margin: 0; }
button, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 6px;
                 min-height: 44px; padding: 0 14px; }
button:focus-visible, select:focus-visible, input:focus-visible { outline: 2px solid var(--best); outline-offset: 2px; }
#play { min-width: 6em; }
.keys { color: var(--soft); font-size: .8rem; margin: 12px 0 0; }
@media (hover: none) { .keys { display: none; } }
</style>
</head>
<body>
<main>
<h1>__TITLE__</h1>
<div class="show">
  <canvas id="screen" role="img" aria-label="the game"></canvas>
  <div class="side">
    <dl><div><dt>Score</dt><dd id="score"></dd></div><div><dt>Game</dt><dd id="game"></dd></div>
    <div><dt>Step</dt><dd id="step"></dd></div></dl>
    <p class="measure" id="measure"></p>
    <div id="rows"></div>
  </div>
</div>
<div class="controls">
  <input type="range" id="slider" min="0" value="0" aria-label="position">
  <button id="play">Pause</button>
  <button id="back" aria-label="one step back">&minus;1</button>
  <button id="next" aria-label="one step on">+1</button>
  <select id="speed" aria-label="speed">
    <option value="0.1">0.1&times;</option><option value="0.25">0.25&times;</option><option value="0.5">0.5&times;</option>
    <option value="1" selected>1&times;</option><option value="2">2&times;</option><option value="4">4&times;</option>
  </select>
</div>
<p class="keys">space: play, pause &middot; arrow keys: one step &middot; home, end: first, last frame</p>
</main>
<script>
"use strict";
const data = __DATA__;
const $ = (id) => document.getElementById(id);
const count = data.score.length, perSheet = data.columns * data.rows;
const canvas = $("screen"), context = canvas.getContext("2d");
const sheets = data.sheets.map((source) => { const image = new Image(); image.onload = () => draw(); image.src = source; return image; });
canvas.width = data.width;
canvas.height = data.height;
const small = data.scale > 1;
canvas.style.width = data.width * (small ? Math.max(1, Math.floor(384 / Math.max(data.width, data.height))) : 1) + "px";
if (small) canvas.className = "pixels";
$("slider").max = count - 1;

const probabilities = data.measure === "probability";
let widest = 1e-9;
for (const values of data.values) widest = Math.max(widest, Math.max(...values) - Math.min(...values));
$("measure").textContent = probabilities ? "Probability of each action"
  : data.measure + " of each action; bar: how far above the worst one";
const rows = data.actions.map((name) => {
  const row = document.createElement("div");
  row.className = "row";
  row.innerHTML = '<span class="name"></span><div class="track"><div class="fill"></div></div><span></span>';
  row.firstChild.textContent = name;
  row.firstChild.title = name;
  $("rows").append(row);
  return row;
});

let frame = 0, playing = true, last = null, owed = 0;
function draw() {
  const place = frame % perSheet, image = sheets[Math.floor(frame / perSheet)];
  if (image.complete) {
    const x = place % data.columns * data.width, y = Math.floor(place / data.columns) * data.height;
    context.drawImage(image, x, y, data.width, data.height, 0, 0, data.width, data.height);
  }
  $("score").textContent = data.score[frame];
  $("game").textContent = data.game[frame] + 1;
  $("step").textContent = data.step[frame];
  $("slider").value = frame;
  const values = data.values[frame], least = probabilities ? 0 : Math.min(...values), reach = probabilities ? 1 : widest;
  rows.forEach((row, action) => {
    row.classList.toggle("chosen", action === data.chosen[frame]);
    row.querySelector(".fill").style.width = 100 * (values[action] - least) / reach + "%";
    row.lastChild.textContent = values[action].toFixed(3);
  });
}
function go(to) { frame = (to + count) % count; draw(); }
function set(on) { playing = on; last = null; owed = 0; $("play").textContent = on ? "Pause" : "Play"; }
function tick(now) {
  if (playing) {
    if (last !== null) owed += Math.min(now - last, 250) / 1000 * data.fps * Number($("speed").value);
    last = now;
    const steps = Math.floor(owed);
    if (steps > 0) { owed -= steps; go(frame + steps); }
  }
  requestAnimationFrame(tick);
}
function step(by) { set(false); go(frame + by); }
$("play").onclick = () => set(!playing);
$("back").onclick = () => step(-1);
$("next").onclick = () => step(1);
$("slider").oninput = () => { set(false); go(Number($("slider").value)); };
document.addEventListener("keydown", (event) => {
  const tag = event.target.tagName;
  if (tag === "SELECT" || tag === "INPUT" && event.key !== " " || tag === "BUTTON" && event.key === " ") return;
  const does = { " ": () => set(!playing), ArrowLeft: () => step(-1), ArrowRight: () => step(1),
                 Home: () => { set(false); go(0); }, End: () => { set(false); go(count - 1); } }[event.key];
  if (does) { event.preventDefault(); does(); }
});
draw();
requestAnimationFrame(tick);
</script>
</body>
</html>
"""
